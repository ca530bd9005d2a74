"""Runs the checks in conf/ethics.yml: metrics, tests, documents and signatures."""
