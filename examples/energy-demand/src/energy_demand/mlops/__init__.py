# Managed: belongs to the standard, `copier update` changes it.
"""The standard's part of this project: change it in the template, not here."""
