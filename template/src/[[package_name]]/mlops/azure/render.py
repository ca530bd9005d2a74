# Managed: belongs to the standard, `copier update` changes it.
"""Writes the files of azureml/ that repeat what conf/ says, because Azure ML cannot read conf/."""

from __future__ import annotations

from pathlib import Path

from ..files import write_text


def expected(root: Path) -> dict[Path, str]:
    """Each file that follows from conf/, relative to the project, with the text it must have."""
    return {}


def disagreements(root: Path) -> list[tuple[Path, str]]:
    """Files that do not say what conf/ says, relative to the project, each with the reason."""
    found = []
    for path, text in expected(root).items():
        if not (root / path).is_file():
            found.append((path, "is missing"))
        elif (root / path).read_text(encoding="utf-8") != text:
            found.append((path, "does not say what conf/ says"))
    return found


def write(root: Path) -> list[Path]:
    """Bring the files into agreement with conf/; return those that were written."""
    texts = expected(root)
    wrong = [path for path, _ in disagreements(root)]
    for path in wrong:
        write_text(root / path, texts[path])
    return wrong
