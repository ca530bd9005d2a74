"""Stands for a team's scoring script."""
