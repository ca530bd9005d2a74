"""The fields of each kind of file, from azure-ai-ml 1.35 and Microsoft's reference.

Reference: https://learn.microsoft.com/azure/machine-learning/reference-yaml-overview
"""
