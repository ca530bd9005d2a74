"""The check of YAML files for Azure ML: what it refuses, and what it lets pass."""
