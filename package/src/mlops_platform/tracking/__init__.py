"""Experiments, registered versions and their roles, and what a run was made from."""
