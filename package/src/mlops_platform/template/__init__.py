"""The project and its template: updates, conformance, file ownership."""
