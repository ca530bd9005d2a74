"""The project and its template: updates, comparison, file ownership."""
