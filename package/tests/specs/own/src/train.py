"""Stands for a team's training script."""
