"""Scores files in mini-batches on several machines: in a batch endpoint or a parallel job.

Azure ML appends what `run` returns to one file, in no order and without a header: lines of CSV with
the columns of `chunks.columns` and, last, `rejected`, the reason why a row was not scored.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
from pathlib import Path
from typing import Any

from mlops_platform.data import reader
from mlops_platform.serving import chunks, store
from mlops_platform.serving.scorer import Scorer

CHUNK_ROWS = 20_000


class State:
    """The model of this process, after `init`."""

    scorer: Scorer


def init(package: str) -> None:
    """Load the model: arguments of a parallel job name it, or variables of a batch endpoint."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--version")
    options, _ = parser.parse_known_args()  # the others are for Azure ML
    folder = options.model or Path(os.environ["AZUREML_MODEL_DIR"])
    version = options.version or os.environ["MLOPS_MODEL_VERSION"]
    State.scorer = Scorer(*store.find_deployed(folder, package, version))


def run(mini_batch: list[str]) -> list[str]:
    """Return the lines of all rows of these files.

    Raises:
        UsageError: columns that do not match the model's contract; Azure ML counts the mini-batch
            as failed.
    """
    scorer = State.scorer
    lines = []
    source = scorer.contract.source
    for file in (each for path in mini_batch for each in reader.files(Path(path), source)):
        chunks.check_header(file, scorer)
        for chunk in reader.chunks(file, source, CHUNK_ROWS):
            scored = chunks.score(scorer, file, chunk)
            lines += [_line([*row, ""]) for row in scored.scores.itertuples(index=False)]
            column_count = len(scored.scores.columns)
            for file_name, row, _, name, column, reason in _first_of_each_row(scored.rejects):
                reason_text = f"{column}: {reason}" if column else reason
                values = [file_name, row, name, *[""] * (column_count - 4), scorer.version]
                lines.append(_line([*values, reason_text]))
    return lines


def _first_of_each_row(rejects: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One line for each row, also if it violates several rules."""
    return list({reject[1]: reject for reject in reversed(rejects)}.values())[::-1]


def _line(values: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
