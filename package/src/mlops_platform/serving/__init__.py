"""Predictions over HTTP, in batches and in Azure ML, all with one scorer."""
