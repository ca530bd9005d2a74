"""Data drift, its reference, and how often a retraining may start."""
