"""What the migration to 1.0.0 does to a project's files, for the oracle in merging.py.

Since 1.0.0 the code of `src/PACKAGE/mlops` is a package of its own. The migration rewrites imports
in the team's files, and saves the team's edits of the removed files as a patch.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from tests.rendering import ROOT

REMOVED_SETTINGS = "uv.toml"


def load_script() -> ModuleType:
    """The migration's script, which imports another one beside it."""
    folder = ROOT / "hooks" / "migrations"
    spec = importlib.util.spec_from_file_location("migration_package", folder / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        spec.loader.exec_module(module)
    return module


SCRIPT = load_script()
PATCH: str = SCRIPT.PATCH


class PackageMove:
    """The migration of a project with these files, tracked by git."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        folders = {tuple(Path(name).parts[:3]) for name in self.names if "/mlops/" in name}
        [(_, package, _)] = [parts for parts in folders if parts[0] == "src"]
        self.folder = f"src/{package}/mlops"
        inside = [name for name in self.names if name.startswith(f"{self.folder}/")]
        self.rewriter = SCRIPT.Rewriter(package, SCRIPT.module_names(inside, self.folder))

    def saves(self, name: str) -> bool:
        """Whether the team's edits of this file go into the patch."""
        return name.startswith(f"{self.folder}/") or name == REMOVED_SETTINGS

    def rewrite(self, name: str, content: bytes | None) -> bytes | None:
        """The content after the migration."""
        if content is None or name not in self.names or not SCRIPT.is_rewritten(Path(name)):
            return content
        new: str = SCRIPT.rewrite_file(Path(name), content.decode(), self.rewriter)
        return new.encode()
