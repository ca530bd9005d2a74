"""Predicts what a household uses in a month."""
