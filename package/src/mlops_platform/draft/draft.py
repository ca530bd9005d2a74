"""A draft of conf/ from data: read, guess, limit, doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mlops_platform.core import strict_yaml
from mlops_platform.data import reader, values
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.data.source import Source
from mlops_platform.draft import columns as guessing
from mlops_platform.draft import doubts, files, limits, merge, sniff
from mlops_platform.draft.guess import Guess
from mlops_platform.settings import Task, parse


@dataclass(frozen=True)
class Draft:
    """The columns, how the data is written, the doubts, and the new files of conf/ by name.

    `new` are the columns that an update adds, and `difference` the lines of its diff.
    """

    columns: list[Guess]
    source: Source
    doubts: list[str]
    files: dict[str, str]
    new: list[Guess] = field(default_factory=list)
    difference: list[str] = field(default_factory=list)


def make(path: Path, target: str, task: Task, conf: Path, url: str | None = None) -> Draft:
    """Draft the settings in `conf` from a file or folder; nothing is written.

    Raises:
        UsageError: the data cannot be read, or the target does not match the task.
    """
    frame, source, notes = sniff.sniff(path, url)
    columns = guessing.guess(frame, source, target, task)
    found = next(each for each in columns if each.role == "target")
    texts = files.texts(conf, columns, source, limits=limits.propose(found), task=task, notes=notes)
    return Draft(columns, source, [*doubts.find(columns), *_broken(frame, texts, conf)], texts)


def update(path: Path, target: str, task: Task, conf: Path) -> Draft:
    """Merge changed data into conf/data.yml, as it says that data is written; nothing is written.

    Raises:
        UsageError: the data cannot be read, or there is no contract with this target.
    """
    file = conf / "data.yml"
    contract = load_contract(file, task)
    merge.require_same_target(contract, target, conf)
    frame = reader.read(path, contract.source)
    old = file.read_text(encoding="utf-8-sig")
    text, columns, lines = merge.merge(old, frame, contract, task, str(file))
    texts = {"data.yml": text}
    changed = texts if text != old else {}
    shown = merge.difference(old, text, str(file))
    new = [column for column in columns if column.name not in contract.raw]
    said = [*lines, *_broken(frame, texts, conf)]
    return Draft(columns, contract.source, said, changed, new, shown)


def _broken(frame: pd.DataFrame, texts: dict[str, str], conf: Path) -> list[str]:
    """Rules of the drafted contract that the data itself breaks, such as a text that is too long.

    Empty if the contract is as before.
    """
    if "data.yml" not in texts:
        return []
    contract = parse(Contract, strict_yaml.load(texts["data.yml"]), conf / "data.yml")
    if contract.rows_without_target == "drop":
        frame = frame[values.without_empty(frame[contract.target]).notna()]
    found = contract.check(frame)
    return [f"`{finding.column}`: {finding.message}" for finding in found]
