"""The files of a check, each read once, also when others name it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlops_platform.specs.kinds import Kind, kind_of
from mlops_platform.specs.nodes import Fault, Node, read


@dataclass(frozen=True)
class Spec:
    """A file that is what it says; `files` reads the others."""

    path: Path
    kind: Kind
    tree: Node
    files: Files

    def is_a(self, *families: str) -> bool:
        """Whether it belongs to one of the families of kinds."""
        return self.kind.family in families


@dataclass
class Files:
    """All files that are looked at."""

    paths: list[Path]
    _kept: dict[Path, tuple[Spec | None, list[Fault]]] = field(default_factory=dict)

    def read(self, path: Path) -> tuple[Spec | None, list[Fault]]:
        """A file as a spec, None where it is none, and what is wrong with it as a whole."""
        plain = Path(os.path.normpath(path))  # a/../b and b are one file
        if plain not in self._kept:
            tree, faults = read(plain)
            kind, unknown = kind_of(tree) if tree else (None, None)
            found = [*faults, unknown] if unknown else faults
            self._kept[plain] = (Spec(plain, kind, tree, self) if tree and kind else None, found)
        return self._kept[plain]

    def beside(self, spec: Spec, name: str) -> Spec | None:
        """The spec that another one names by its place, None where there is none."""
        path = spec.path.parent / name.removeprefix("file:")
        return self.read(path)[0] if path.is_file() else None

    def specs(self) -> Iterable[Spec]:
        """All specs that are looked at."""
        for path in self.paths:
            spec = self.read(path)[0]
            if spec is not None:
                yield spec


def is_local(text: str) -> bool:
    """Whether a text names a file here, and nothing in Azure, on the web or to be filled in."""
    return not (text.startswith("azureml:") or "://" in text or "${{" in text or not text.strip())
