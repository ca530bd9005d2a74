"""Checks a release before it is tagged."""
