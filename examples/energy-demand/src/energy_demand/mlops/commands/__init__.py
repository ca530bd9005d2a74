# Managed: belongs to the standard, `copier update` changes it.
"""The commands, by who uses them. Each imports what it needs when it runs: help is quick."""
