"""Rendered projects at work."""
