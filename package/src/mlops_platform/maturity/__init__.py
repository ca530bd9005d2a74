"""Readiness and maturity, measured; and the decisions that they are for."""
