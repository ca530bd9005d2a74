"""The HTML report of a run, the audit page and the model card."""
