"""Predicts which loans default."""
