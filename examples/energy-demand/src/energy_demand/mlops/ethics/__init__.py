# Managed: belongs to the standard, `copier update` changes it.
"""The checks of conf/ethics.yml: measured, run, read or signed, and judged."""
