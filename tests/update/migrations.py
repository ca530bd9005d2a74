"""What migrations do to a project's files, for the oracle in merging.py.

Since 1.0.0 the code of `src/PACKAGE/mlops` is a package of its own. The migration rewrites imports
in the team's files, and saves the team's edits of the removed files as a patch. Since 2.0.0 each
run of a pipeline has a folder of its own. The migration rewrites the tests that name one.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from packaging.version import Version

from tests.rendering import ROOT

REMOVED_SETTINGS = "uv.toml"


def load_script(name: str) -> ModuleType:
    """A migration's script, which imports another one beside it."""
    folder = ROOT / "hooks" / "migrations"
    spec = importlib.util.spec_from_file_location(f"migration_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        spec.loader.exec_module(module)
    return module


SCRIPT, RUNS = load_script("package"), load_script("runs")
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


class RunFolders:
    """The migration of a project's tests to a folder for each run."""

    def saves(self, _: str) -> bool:
        """Whether the team's edits of a file go into the patch: none is removed."""
        return False

    def rewrite(self, name: str, content: bytes | None) -> bytes | None:
        """The content after the migration."""
        if content is None or Path(name).suffix not in RUNS.MAY_NAME_IT:
            return content
        new: str = RUNS.rewrite(content.decode(errors="surrogateescape"))
        return new.encode(errors="surrogateescape")


class Migrations:
    """Those that an update runs, in their order."""

    def __init__(self, old: str, new: str, names: Iterable[str]) -> None:
        """Between two tags, for a project with these files."""
        crossed = [
            make
            for version, make in (
                ("1.0.0", lambda: PackageMove(names)),
                ("2.0.0", RunFolders),
            )
            if Version(old) < Version(version) <= Version(new)
        ]
        self.each = [make() for make in crossed]

    def __bool__(self) -> bool:
        """Whether the update asks for trust."""
        return bool(self.each)

    def saves(self, name: str) -> bool:
        """Whether the team's edits of this file go into the patch."""
        return any(migration.saves(name) for migration in self.each)

    def rewrite(self, name: str, content: bytes | None) -> bytes | None:
        """The content after all of them."""
        for migration in self.each:
            content = migration.rewrite(name, content)
        return content
