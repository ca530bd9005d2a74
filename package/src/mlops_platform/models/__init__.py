"""Saved models, the project's own code, and predictions."""
