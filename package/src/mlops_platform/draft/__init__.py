"""Drafts the settings in conf/ from data: its form, its columns, and what to be careful with."""
