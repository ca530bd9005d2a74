# Managed: belongs to the standard, `copier update` changes it.
"""Predictions: one way to make them, over HTTP, in batches, in Azure ML."""
