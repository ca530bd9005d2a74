"""Is there personal data where nobody expects it: in samples, notebooks, and what runs left?"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mlops_platform.data.contract import Contract
from mlops_platform.ethics import kept_files, personal
from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, counted, listed, nothing

MOST_LINES = 20_000  # of one file
NO_GIT = "git does not know this folder"


def _personal_data(case: Case, _: Metric) -> Value:
    """Addresses and numbers of people in files under data/ and notebooks/ and in outputs/.

    Of a CSV file, columns that the contract names as id or ignored are left out: it is known that
    they tell people apart.
    """
    root = case.conf.resolve().parent
    files = _samples(root)
    if files is None:
        return nothing(0, NO_GIT)
    files += kept_files.left_by_runs(root, case.outputs.resolve().parent)
    seen = [
        f"{path.as_posix()} line {number}: {kind}"
        for path in files
        for number, text in _lines(root / path, case.contract)
        for kind in personal.found(text, case.project.contact)
    ]
    return counted(len(seen), len(files), listed(seen) or "samples, notebooks, logs")


def _identity_columns(case: Case, _: Metric) -> Value:
    """Columns whose names suggest identity, and that the contract does not name as id or ignored.

    Of the contract itself, and of CSV files under data/.
    """
    root = case.conf.resolve().parent
    files = _samples(root)
    if files is None:
        return nothing(0, NO_GIT)
    columns = dict.fromkeys(case.contract.columns, "conf/data.yml")
    for path in files:
        if path.suffix == ".csv":
            with (root / path).open(encoding="utf-8", errors="replace", newline="") as file:
                header = next(csv.reader(file), [])
            columns |= {name: path.as_posix() for name in header if name not in columns}
    known = _told(case.contract)
    named = [
        f"`{name}` in {where}"
        for name, where in columns.items()
        if name not in known and personal.suggests_identity(name)
    ]
    return counted(len(named), len(columns), listed(named) or "columns")


def _samples(root: Path) -> list[Path] | None:
    kept = kept_files.in_git(root)
    return kept and [path for path in kept if path.parts[0] in ("data", "notebooks")]


def _told(contract: Contract) -> set[str]:
    return {*contract.named("id"), *contract.named("ignored")}


def _lines(path: Path, contract: Contract) -> Iterator[tuple[int, str]]:
    """Numbered pieces of a file's text: of rows, what the contract does not excuse."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        if path.suffix == ".csv":
            rows = csv.reader(file)
            excused = [name in _told(contract) for name in next(rows, [])]
            for row in islice(rows, MOST_LINES):
                cells = enumerate(row)
                shown = [cell for n, cell in cells if n >= len(excused) or not excused[n]]
                yield rows.line_num, " ; ".join(shown)
        elif path.suffix == ".ipynb":
            yield from _cells(file.read())
        else:
            yield from islice(enumerate(file, start=1), MOST_LINES)


def _cells(notebook: str) -> Iterator[tuple[int, str]]:
    """Source and outputs of a notebook's cells, numbered by cell; pictures are left out."""
    try:
        cells = json.loads(notebook)["cells"]
        for number, cell in enumerate(cells, start=1):
            yield number, "".join(cell["source"])
            for output in cell.get("outputs", []):
                texts = [output.get("text", ""), *output.get("traceback", [])]
                texts += [
                    text for kind, text in output.get("data", {}).items() if "image" not in kind
                ]
                for text in texts:
                    yield number, "".join(text) if isinstance(text, list) else str(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        yield 1, notebook  # no notebook: read as text


MEASURES = [
    Measure(
        "personal_data",
        _personal_data,
        "Take it out of the file, and of git's history where it is committed; a column that must "
        "stay gets `role: id` or `role: ignored` in conf/data.yml",
        unknown="Run `git init` and commit the project: git says which files it keeps.",
    ),
    Measure(
        "identity_columns",
        _identity_columns,
        "Drop the column in data.py, or name it with `role: ignored` in conf/data.yml",
        unknown="Run `git init` and commit the project: git says which files it keeps.",
    ),
]
