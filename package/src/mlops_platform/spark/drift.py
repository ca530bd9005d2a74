"""The step `drift` on Spark: the model goes to the workers."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from pyspark import Broadcast
from pyspark.sql import SparkSession

from mlops_platform.data.contract import load_contract
from mlops_platform.models import artifact
from mlops_platform.serving import store
from mlops_platform.spark import files, pieces
from mlops_platform.spark.storage import Storage
from mlops_platform.steps import drift


def run(session: SparkSession, conf: Path, current: str, out: Path, version: str) -> None:
    """Write `out/drift.json`, as `steps.drift` does.

    Raises:
        UsageError: files that cannot be read, a feature is missing, or no such version.
        GateError: a column drifted.
    """
    stored = store.fetch(conf, version)
    task = artifact.load_card(stored.folder).task
    contract = load_contract(stored.folder / "contract.yml", task)
    storage = Storage(session)
    found = files.find(storage, current, contract, stored.team)
    model = session.sparkContext.broadcast(
        {
            path.relative_to(stored.folder).as_posix(): path.read_bytes()
            for path in sorted(stored.folder.rglob("*"))
            if path.is_file()
        }
    )
    work = partial(_compare, stored, model)
    compared = pieces.values(pieces.run(session, found, contract.source, work), found)
    whole = compared[0][1]
    for _, later in compared[1:]:
        whole.comparison.merge(later.comparison)
    content = files.content_hash(session, storage, found)
    drift.judge(conf, whole, stored, out, drift.Data(current, content))


def _compare(
    stored: store.StoredModel, model: Broadcast[dict[str, bytes]], path: Path
) -> drift.Compared:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in model.value.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        return drift.compare(stored._replace(folder=folder), path)
