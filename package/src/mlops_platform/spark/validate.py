"""The step `validate` on Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyspark import RDD
from pyspark.sql import SparkSession

from mlops_platform import evidence, settings
from mlops_platform.data import check
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evidence import Finding
from mlops_platform.models import rows, team
from mlops_platform.models.team import Team
from mlops_platform.spark import files, pieces
from mlops_platform.spark.files import Files
from mlops_platform.spark.pieces import Place, Result
from mlops_platform.spark.storage import Storage
from mlops_platform.steps import validate


class Checked(NamedTuple):
    """What a piece was found to be, without its ids, and the hashes of these, (rows,)."""

    check: rows.TrainingCheck
    ids: np.ndarray


def run(session: SparkSession, conf: Path, raw: str, out: Path) -> None:
    """Write `out/validation.json`, as `steps.validate` does.

    Raises:
        UsageError: files that cannot be read, or not in pieces.
        GateError: a rule of conf/data.yml is violated.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    code = team.load_team(conf)
    storage = Storage(session)
    found = files.find(storage, raw, contract, code)
    count, findings = check_files(session, found, contract, code)
    content = files.content_hash(session, storage, found)
    validate.judge(evidence.Validation(rows=count, data_hash=content, findings=findings), raw, out)


def check_files(
    session: SparkSession, found: Files, contract: Contract, code: Team
) -> tuple[int, list[Finding]]:
    """The number of rows, and one finding for each violated rule.

    Raises:
        UsageError: rows that cannot be read.
    """
    results = pieces.run(session, found, contract.source, partial(_check, contract, code))
    whole = rows.TrainingCheck(contract, code)
    starts: dict[Place, int] = {}
    for place, checked in pieces.values(results, found, _without_ids):
        starts[place] = whole.raw.rows
        whole.merge(checked)
    twice = _repeated(results) if contract.named("id") else np.empty(0, np.uint64)
    whole.raw.repeats.put(np.repeat(twice, 2))
    work = partial(_rows_with, twice, contract, code)
    return whole.raw.rows, whole.findings(
        lambda: [
            frame.set_axis(frame.index + starts[place])
            for place, frame in pieces.values(
                pieces.run(session, found, contract.source, work), found
            )
        ]
    )


def _check(contract: Contract, code: Team, path: Path) -> Checked:
    checked = rows.TrainingCheck(contract, code)
    for chunk in rows.training_chunks(path, contract, code):
        checked.add(chunk)
    return Checked(checked, checked.raw.repeats.take())


def _without_ids(checked: Checked) -> rows.TrainingCheck:
    return checked.check


def _repeated(results: RDD[tuple[Place, Result]]) -> np.ndarray:
    """Hashes that stand more than once, in whatever pieces, (hashes,)."""
    count = results.getNumPartitions()  # of buckets of hashes, each looked over by one worker
    buckets = results.flatMap(partial(_by_bucket, count)).groupByKey(count).values()
    return np.concatenate([np.empty(0, np.uint64), *buckets.map(_twice).collect()])


def _by_bucket(count: int, each: tuple[Place, Result]) -> Iterator[tuple[int, np.ndarray]]:
    ids = each[1].value.ids
    buckets = ids % count
    for bucket in np.unique(buckets).tolist():
        yield bucket, ids[buckets == bucket]


def _twice(parts: Iterable[np.ndarray]) -> np.ndarray:
    repeats = check.Repeats()
    for part in parts:
        repeats.put(part)
    return repeats.suspicious()


def _rows_with(hashes: np.ndarray, contract: Contract, code: Team, path: Path) -> pd.DataFrame:
    """The ids that have one of the hashes, as they are written, by their position."""
    names = contract.named("id")
    return pd.concat(
        chunk.loc[check.ids_with(hashes, chunk, contract).index, names]
        for chunk in rows.training_chunks(path, contract, code)
    )
