"""Metrics, groups of people, and the gates that a model must pass."""
