"""The fields of Azure ML's files: the one list, for the check of specs and for local runs.

From azure-ai-ml 1.35 and Microsoft's reference. Each field has its validator and, if it stands in a
file that can run locally, what the local runner does with it: `used`, `ignored`, else refused.

Reference: https://learn.microsoft.com/azure/machine-learning/reference-yaml-overview
"""
