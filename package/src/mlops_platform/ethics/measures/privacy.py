"""Measures of privacy: personal data in samples, notebooks and outputs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mlops_platform.data import parquet_rows, reader
from mlops_platform.data.compression import opened, plain_suffix
from mlops_platform.data.contract import Contract
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.ethics import personal, project_files
from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, exact_value, first_few, no_value

MAX_LINES = 20_000  # of one file
NO_GIT = "this folder is not in a git repository"


def _personal_data(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Personal data in files under data/, notebooks/ and outputs/.

    In tables, columns with the role id, group or ignored are skipped: they are known to
    identify people.
    """
    root = run.conf.resolve().parent
    files = _samples(root)
    if files is None:
        return no_value(0, NO_GIT)
    files += project_files.list_output_files(root, run.outputs.resolve().parents[1])
    matches = [
        f"{path.as_posix()} line {number}: {kind}"
        for path in files
        for number, text in _lines(root / path, _form(path, run.contract), run.contract)
        for kind in personal.find_personal_data(text, run.project.contact)
    ]
    return exact_value(len(matches), len(files), first_few(matches) or "samples, notebooks, logs")


def _identity_columns(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Columns whose names suggest that they identify people, without the role id, group or ignored.

    In the contract, and in tables under data/.
    """
    root = run.conf.resolve().parent
    files = _samples(root)
    if files is None:
        return no_value(0, NO_GIT)
    columns = dict.fromkeys(run.contract.columns, "conf/data.yml")
    for path in files:
        header = next(_table(root / path, _form(path, run.contract)), (0, []))[1]
        columns |= {name: path.as_posix() for name in header if name not in columns}
    excluded = _excluded_columns(run.contract)
    matches = [
        f"`{name}` in {file_name}"
        for name, file_name in columns.items()
        if name not in excluded and personal.suggests_identity(name)
    ]
    return exact_value(len(matches), len(columns), first_few(matches) or "columns")


def _samples(root: Path) -> list[Path] | None:
    files = project_files.list_git_files(root)
    return files and [path for path in files if path.parts[0] in ("data", "notebooks")]


def _excluded_columns(contract: Contract) -> set[str]:
    return {*contract.named("id"), *contract.named("group"), *contract.named("ignored")}


def _form(path: Path, contract: Contract) -> Source:
    """How a file of the project is written: data as conf/data.yml says, outputs as we write."""
    return contract.source if path.parts[0] == "data" else PLAIN


def _table(path: Path, source: Source) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV or Parquet file as text, each with its line; no rows of other files."""
    suffix = plain_suffix(path.name)
    if suffix in (".csv", ".tsv"):
        with opened(path, source) as (_, stream):
            text = io.TextIOWrapper(stream, source.encoding, errors="replace", newline="")
            rows = csv.reader(text, delimiter=source.separator)
            yield from ((rows.line_num, row) for row in rows)
            text.detach()
    elif suffix in (".parquet", ".pq"):
        yield 1, parquet_rows.columns(path)
        for frame in parquet_rows.frames(path, MAX_LINES):
            for number, row in enumerate(frame.to_numpy(dtype=object), start=2):
                yield number, list(map(str, row))


def _lines(path: Path, source: Source, contract: Contract) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers; rows of tables without excluded columns."""
    if plain_suffix(path.name) in reader.SUFFIXES and path.suffix != ".sql":
        rows = _table(path, source)
        excluded = [name in _excluded_columns(contract) for name in next(rows, (0, []))[1]]
        for number, row in islice(rows, MAX_LINES):
            cells = enumerate(row)
            included = [cell for n, cell in cells if n >= len(excluded) or not excluded[n]]
            yield number, " ; ".join(included)
        return
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        if path.suffix == ".ipynb":
            yield from _cells(file.read())
        else:
            yield from islice(enumerate(file, start=1), MAX_LINES)


def _cells(notebook: str) -> Iterator[tuple[int, str]]:
    """Source and outputs of a notebook's cells, numbered by cell; without images."""
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
        yield 1, notebook  # not a valid notebook: read as text


MEASURES = [
    Measure(
        "personal_data",
        _personal_data,
        "Remove it from the file, and from git's history if it is committed; give a column that "
        "must stay `role: id` or `role: ignored` in conf/data.yml",
        if_insufficient="Run `git init` and commit the project: git determines the files to scan.",
    ),
    Measure(
        "identity_columns",
        _identity_columns,
        "Drop the column in data.py, or give it `role: ignored` in conf/data.yml",
        if_insufficient="Run `git init` and commit the project: git determines the files to scan.",
    ),
]
