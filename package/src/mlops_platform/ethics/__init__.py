"""The checks of conf/ethics.yml: measured, run, read or signed, and judged."""
