"""Scores rows of files: every row is scored, or rejected with the reason."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import reader
from mlops_platform.data.chunk import Chunk
from mlops_platform.data.hints import suggest
from mlops_platform.data.reader import File
from mlops_platform.serving.scorer import Scorer

REJECT_COLUMNS = ["file", "row", "line", "id", "column", "reason"]


class ScoredChunk(NamedTuple):
    """`scores` has the columns of `columns`, `rejects` those of REJECT_COLUMNS, without values.

    Only rows of CSV files have a line.
    """

    scores: pd.DataFrame
    rejects: list[tuple[Any, ...]]
    rows: int
    rejected: int


def check_header(file: File, scorer: Scorer) -> None:
    """Check that a file's columns match the model's contract.

    Raises:
        UsageError: missing, unknown or duplicate columns.
    """
    columns = pd.DataFrame(columns=reader.columns(file, scorer.contract.source))
    findings = scorer.contract.check_columns(columns, scoring=True)
    if findings:
        lines = [
            f"  column `{finding.column}`: "
            + ("unknown, remove it from the file" if finding.rule == "known" else finding.message)
            for finding in findings
        ]
        raise UsageError(
            f"{file.path}: its columns do not match the contract of version {scorer.version}:\n"
            + "\n".join(lines)
        )


def columns(scorer: Scorer) -> list[str]:
    """Names of the columns of scores."""
    predicted = ["label", *_probabilities(scorer)] if scorer.labels else ["value"]
    return ["file", "row", "id", *predicted, "version"]


def score(scorer: Scorer, file: File, chunk: Chunk) -> ScoredChunk:
    """Score one chunk of a file whose header matches the contract."""
    raw = chunk.frame
    ids = _ids(raw, scorer)
    features, faults = scorer.read(raw)
    rejected = faults["row"].unique()
    valid = features.drop(index=rejected)

    scores = pd.DataFrame({"file": file.name, "row": valid.index, "id": ids[valid.index]})
    if len(valid):
        predicted = scorer.predict(valid)
        if scorer.labels:
            scores["label"] = scorer.chosen(predicted)
            scores[_probabilities(scorer)] = predicted
        else:
            scores["value"] = predicted
    scores["version"] = scorer.version

    lines = dict(zip(raw.index, chunk.lines, strict=True)) if chunk.lines else {}
    reasons = [
        (
            file.name,
            row,
            lines.get(row, ""),
            ids[row],
            column,
            _reason(scorer, raw, row, column, rule),
        )
        for row, column, rule in zip(faults["row"], faults["column"], faults["rule"], strict=True)
    ]
    reasons += [
        (file.name, malformed_row.row, malformed_row.line, "", "", malformed_row.reason)
        for malformed_row in chunk.malformed
    ]
    reasons.sort(key=lambda reason: reason[1])
    malformed = len(chunk.malformed)
    return ScoredChunk(scores, reasons, len(raw) + malformed, len(rejected) + malformed)


def _reason(scorer: Scorer, raw: pd.DataFrame, row: int, column: str, rule: str) -> str:
    contract = scorer.contract
    if column in contract.derived:
        return f"the derived value violates `{rule}`"
    hint = suggest(contract.columns[column], raw.loc[row, column], contract.source)
    return f"violates `{rule}`; {hint}" if hint else f"violates `{rule}`"


def _ids(raw: pd.DataFrame, scorer: Scorer) -> pd.Series:
    """The id of each row as in the file; empty if there is none."""
    names = [name for name in scorer.contract.named("id") if name in raw]
    return raw[names[0]].fillna("") if names else pd.Series("", index=raw.index)


def _probabilities(scorer: Scorer) -> list[str]:
    return [f"probability_{label}" for label in scorer.labels]
