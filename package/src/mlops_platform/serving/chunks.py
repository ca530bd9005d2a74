"""Scores rows of CSV files: every row is scored, or rejected with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import csv_rows
from mlops_platform.serving.scorer import Scorer

REJECT_COLUMNS = ["file", "row", "line", "id", "column", "reason"]


class Scored(NamedTuple):
    """`scores` has the columns of `columns`, `rejects` those of REJECT_COLUMNS, without values."""

    scores: pd.DataFrame
    rejects: list[tuple[Any, ...]]
    rows: int
    rejected: int


def check_header(file: Path, scorer: Scorer) -> None:
    """Refuse a file whose columns do not fit the model's contract.

    Raises:
        UsageError: missing, unknown or repeated columns.
    """
    heads = pd.DataFrame(columns=csv_rows.header(file))
    findings = scorer.contract.structure(heads, scoring=True)
    if findings:
        lines = [
            f"  column `{found.column}`: "
            + ("unknown, drop it from the file" if found.rule == "known" else found.message)
            for found in findings
        ]
        raise UsageError(
            f"{file}: its columns do not fit the contract of version {scorer.version}:\n"
            + "\n".join(lines)
        )


def columns(scorer: Scorer) -> list[str]:
    """Names of the columns of scores."""
    predicted = ["label", *_probabilities(scorer)] if scorer.labels else ["value"]
    return ["file", "row", "id", *predicted, "version"]


def score(scorer: Scorer, file: Path, chunk: csv_rows.Chunk) -> Scored:
    """Score one chunk of a file whose header fits."""
    raw = chunk.frame(csv_rows.header(file))
    ids = _ids(raw, scorer)
    typed, faults = scorer.typed(raw)
    rejected = faults["row"].unique()
    sound = typed.drop(index=rejected)

    made = pd.DataFrame({"file": file.name, "row": sound.index, "id": ids[sound.index]})
    if len(sound):
        predicted = scorer.predict(sound)
        if scorer.labels:
            made["label"] = scorer.chosen(predicted)
            made[_probabilities(scorer)] = predicted
        else:
            made["value"] = predicted
    made["version"] = scorer.version

    lines = dict(zip(chunk.rows, chunk.lines, strict=True))
    reasons = [
        (file.name, row, lines[row], ids[row], column, f"breaks `{rule}`")
        for row, column, rule in zip(faults["row"], faults["column"], faults["rule"], strict=True)
    ]
    reasons += [(file.name, bad.row, bad.line, "", "", bad.reason) for bad in chunk.malformed]
    reasons.sort(key=lambda reason: reason[1])
    malformed = len(chunk.malformed)
    return Scored(made, reasons, len(raw) + malformed, len(rejected) + malformed)


def _ids(raw: pd.DataFrame, scorer: Scorer) -> pd.Series:
    """The id of each row as it stands in the file; empty where there is none."""
    names = [name for name in scorer.contract.named("id") if name in raw]
    return raw[names[0]].fillna("") if names else pd.Series("", index=raw.index)


def _probabilities(scorer: Scorer) -> list[str]:
    return [f"probability_{label}" for label in scorer.labels]
