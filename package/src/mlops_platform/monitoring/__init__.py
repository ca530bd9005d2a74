"""Drift detection, its reference data, and the cooldown of automatic retraining."""
