"""Predictions that are kept, and judged when their outcomes are known."""
