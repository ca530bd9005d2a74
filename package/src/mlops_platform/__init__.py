"""The standard's part of this project: change it in the template, not here."""
