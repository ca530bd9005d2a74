"""Names that tests of the template take from here; the surroundings are in the root's conftest."""

from tests.projects import SHARED, Kept, Project

__all__ = ["SHARED", "Kept", "Project"]
