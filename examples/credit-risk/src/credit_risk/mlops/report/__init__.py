# Managed: belongs to the standard, `copier update` changes it.
"""The page that shows a run."""
