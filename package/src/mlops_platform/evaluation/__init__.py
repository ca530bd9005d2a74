"""Metrics, metrics by group, and the gates that a model must pass."""
