"""What may stand in each kind of file, as azure-ai-ml 1.35 and Microsoft's reference say.

Reference: https://learn.microsoft.com/azure/machine-learning/reference-yaml-overview
"""
