"""Files in mini-batches, a few at a time and on several machines: batch endpoint and parallel job.

Azure ML appends what `run` returns to one file, in no order and without a header: lines of CSV with
the columns of `chunks.columns` and, last, `rejected`, the reason why a row was not scored.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
from pathlib import Path

from mlops_platform.data import csv_rows
from mlops_platform.models.team import Team
from mlops_platform.serving import chunks, store
from mlops_platform.serving.scorer import Scorer

CHUNK_ROWS = 20_000


class Loaded:
    """The model of this process, once `init` has loaded it."""

    scorer: Scorer


def init(package: str) -> None:
    """Load the model: a parallel job says which in arguments, a batch endpoint in variables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--version")
    given, _ = parser.parse_known_args()  # the rest is Azure ML's
    folder = given.model or Path(os.environ["AZUREML_MODEL_DIR"])
    version = given.version or os.environ["MLOPS_MODEL_VERSION"]
    Loaded.scorer = Scorer(*store.deployed(folder, Team(package), version))


def run(mini_batch: list[str]) -> list[str]:
    """The lines of all rows of these files.

    Raises:
        UsageError: columns that do not fit the model's contract; Azure ML counts the mini-batch as
            failed.
    """
    scorer = Loaded.scorer
    lines = []
    for path in map(Path, mini_batch):
        chunks.check_header(path, scorer)
        for chunk in csv_rows.chunks(path, CHUNK_ROWS):
            scored = chunks.score(scorer, path, chunk)
            lines += [_line([*row, ""]) for row in scored.scores.itertuples(index=False)]
            width = len(scored.scores.columns)
            for file, row, _, name, column, reason in _first_of_each_row(scored.rejects):
                why = f"{column}: {reason}" if column else reason
                filled = [file, row, name, *[""] * (width - 4), scorer.version]
                lines.append(_line([*filled, why]))
    return lines


def _first_of_each_row(rejects: list[tuple]) -> list[tuple]:
    """A row may break several rules: it is one line."""
    return list({reject[1]: reject for reject in reversed(rejects)}.values())[::-1]


def _line(values: list) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
