"""Alerts: what is measured, who is told, and what they do then."""
