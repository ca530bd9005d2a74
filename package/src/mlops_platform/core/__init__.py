"""Shared utilities: errors, files, hashes, the terminal."""
