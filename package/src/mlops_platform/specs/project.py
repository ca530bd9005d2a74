"""The files of a check; each is read once, also if others refer to it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlops_platform.schemas.nodes import Node, Problem, read
from mlops_platform.specs.kinds import Kind, kind_of


@dataclass(frozen=True)
class Spec:
    """A file of a known kind; `files` reads the others."""

    path: Path
    kind: Kind
    tree: Node
    files: SpecFiles

    def is_a(self, *families: str) -> bool:
        """Whether it belongs to one of the families of kinds."""
        return self.kind.family in families


@dataclass
class SpecFiles:
    """All files of a check."""

    paths: list[Path]
    _cache: dict[Path, tuple[Spec | None, list[Problem]]] = field(default_factory=dict)

    def read(self, path: Path) -> tuple[Spec | None, list[Problem]]:
        """Read a file: returns its spec, None if it is none, and the problems of the whole file."""
        normalized = Path(os.path.normpath(path))  # a/../b and b are one file
        if normalized not in self._cache:
            tree, problems = read(normalized)
            kind, unknown = kind_of(tree) if tree else (None, None)
            file_problems = [*problems, unknown] if unknown else problems
            self._cache[normalized] = (
                Spec(normalized, kind, tree, self) if tree and kind else None,
                file_problems,
            )
        return self._cache[normalized]

    def resolve(self, spec: Spec, name: str) -> Spec | None:
        """The spec at a path that another spec names; None if there is none."""
        path = spec.path.parent / name.removeprefix("file:")
        return self.read(path)[0] if path.is_file() else None

    def specs(self) -> Iterable[Spec]:
        """All specs of the check."""
        for path in self.paths:
            spec = self.read(path)[0]
            if spec is not None:
                yield spec


def is_local(text: str) -> bool:
    """Whether a text is a local path: not in Azure, no URL, and no binding."""
    return not (text.startswith("azureml:") or "://" in text or "${{" in text or not text.strip())
