"""A model on disk, the project's own code that makes it, and its predictions."""
