"""Tests of what is ours: data, features, model, and the life of a version."""
