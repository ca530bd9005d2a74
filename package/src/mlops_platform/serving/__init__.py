"""Predictions: one way to make them, over HTTP, in batches, in Azure ML."""
