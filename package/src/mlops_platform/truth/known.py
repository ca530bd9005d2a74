"""Which rows a version has seen: the ids of all parts of its data, as hashes, kept with its run.

A version looks better than it is on rows that it was fitted to; and those of its test set gave the
test figure, with which others are compared.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.data.typed_rows import PARTS
from mlops_platform.tracking import experiments
from mlops_platform.truth import ids
from mlops_platform.truth.join import Known

ARTIFACT = "seen"
FILE = "ids.parquet"
SEEN = "seen_ids"  # the run's tag: how many ids it recorded


def record(conf: Path, run_id: str, data: Path, contract: Contract) -> None:
    """Keep the ids of all parts in `data` with a run; nothing without an id in the contract."""
    names = contract.named("id")
    if not names:
        return
    parts = [pq.read_table(data / f"{part}.parquet", columns=names) for part in PARTS]
    texts = ids.as_texts(pa.concat_tables(parts)[names[0]].to_pandas(), contract.columns[names[0]])
    hashes = np.unique(ids.hashed(texts[[text is not None for text in texts]]))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / ARTIFACT
        folder.mkdir()
        pq.write_table(pa.table({"hash": pa.array(hashes, pa.uint64())}), folder / FILE)
        experiments.upload(conf, run_id, folder, ARTIFACT)
    experiments.record(conf, run_id, tags={SEEN: str(len(hashes))})


def of_run(conf: Path, run: experiments.Run, span: str) -> Known:
    """What a run has seen; of a run without ids, made by earlier releases, only until when.

    `span` is the format of a period's name: a row of a period that began after the training cannot
    have been in it.
    """
    if SEEN in run.data.tags:
        return Known(_read(conf, run.info.run_id))
    began = datetime.fromtimestamp(run.info.start_time / 1000, tz=UTC)
    return Known(None, began.strftime(span))


def last_training(conf: Path) -> np.ndarray | None:
    """Sorted hashes of the ids of the last training; None if there is none with ids."""
    for run in experiments.runs(conf, limit=100):
        if SEEN in run.data.tags:
            return _read(conf, run.info.run_id)
    return None


def _read(conf: Path, run_id: str) -> np.ndarray:
    with experiments.files(conf, run_id, ARTIFACT) as folder:
        try:
            found: np.ndarray = pq.read_table(folder / FILE)["hash"].to_numpy()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise UsageError(
                f"{folder / FILE}: cannot be read ({error}), so it is not known which rows run "
                f"{run_id} has seen. Restore it from a copy."
            ) from None
    return found
