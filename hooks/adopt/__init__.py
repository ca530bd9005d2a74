"""Brings an existing repository under the template."""
