"""Joins predictions with labels in flat memory: a Grace hash join.

Both sides are divided by the hash of their ids into buckets on disk, which are joined one after
the other; the number of buckets grows with the rows. M. Kitsuregawa, H. Tanaka, T. Moto-oka,
Application of Hash to Data Base Machine and Its Architecture (1983).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlops_platform.truth import ids
from mlops_platform.truth.labels import HASH, VALUE

BUCKET_ROWS = 250_000  # of each side, in memory at once
MOST_BUCKETS = 500  # each is an open file
SPREAD_ROWS = 500_000  # read before they are divided, so that buckets get blocks, not rows
COUNTS = ["version", "period", "predictions", "labelled"]


@dataclass
class Joined:
    """What was counted, and the file of pairs, which `pairs` reads.

    `counts`: predictions and labelled ones for each version and period, without known and repeated
    ones. `classes`: labelled rows for each version, period and outcome (classification).
    """

    path: Path
    schema: pa.Schema
    counts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COUNTS))
    classes: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["version", "period", VALUE, "rows"])
    )
    predictions: int = 0
    without_id: int = 0
    repeated: int = 0
    known: dict[str, int] = field(default_factory=dict)
    labels: int = 0
    duplicates: int = 0
    contradictions: int = 0
    unknown: int = 0
    new: int | None = None

    def pairs(self, version: str, periods: list[str], share: float) -> pa.Table:
        """The pairs of a version and some periods; only a random `share` of them.

        Which ones is decided by the hash of the id, so it is the same each time.
        """
        limit = np.uint64(min(share * 2.0**64, 2.0**64 - 2048))
        chosen = []
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_stream(file) as reader:
            for batch in reader:
                wanted = pc.and_(
                    pc.equal(batch["version"], version),
                    pc.is_in(batch["period"], pa.array(periods, pa.string())),
                )
                if share < 1:
                    wanted = pc.and_(wanted, pc.less(batch[HASH], pa.scalar(limit, pa.uint64())))
                chosen.append(batch.filter(wanted))
        return pa.Table.from_batches(chosen, self.schema)


@dataclass(frozen=True)
class Known:
    """Which rows a version has seen: sorted hashes of their ids; without them, until which period.

    `until`: no row of a later period can be among them.
    """

    hashes: np.ndarray | None
    until: str = ""

    def has(self, hashes: np.ndarray, periods: np.ndarray) -> np.ndarray:
        """Whether each row is known, (rows,)."""
        if self.hashes is None:
            return np.asarray(periods.astype(str) <= self.until)
        return is_in(hashes, self.hashes)


def is_in(hashes: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Whether each hash is among sorted ones."""
    if not len(among):
        return np.zeros(len(hashes), dtype=bool)
    place = np.minimum(np.searchsorted(among, hashes), len(among) - 1)
    return np.asarray(among[place] == hashes)


def join(
    predictions: Iterable[pa.RecordBatch],
    labels: Iterable[pd.DataFrame],
    *,
    rows: int,
    columns: list[str],
    known: Mapping[str, Known],
    learned: np.ndarray | None,
    scratch: Path,
) -> Joined:
    """Join predictions with labels.

    Args:
        predictions: rows of the ledger.
        labels: chunks of `Labels.chunks`.
        rows: about how many there are, of the longer side.
        columns: of the groups, in the labels.
        known: what each version has seen.
        learned: sorted hashes of what the last training has seen, to count new labels.
        scratch: an empty folder.
    """
    buckets = min(MOST_BUCKETS, 1 + rows // BUCKET_ROWS)
    joined = Joined(scratch / "pairs.arrow", _pair_schema(columns))
    left = _divide(_hashed(predictions, joined), scratch / "predictions", buckets)
    right = _divide(_as_tables(labels, columns), scratch / "labels", buckets)
    joined.new = None if learned is None else 0
    counts, classes = [], []
    with (
        pa.OSFile(str(joined.path), "wb") as file,
        pa.ipc.new_stream(file, joined.schema, options=_options()) as writer,
    ):
        for predicted, labelled in zip(left, right, strict=True):
            outcome = _one_label(_read(labelled), joined)
            if learned is not None and joined.new is not None:
                joined.new += int((~is_in(outcome[HASH].to_numpy(), learned)).sum())
            pairs = _pairs(_read(predicted), outcome, known, joined)
            counts.append(pairs.groupby(["version", "period"])["has"].agg(["size", "sum"]))
            found = pairs[pairs["has"]]
            if len(found):
                classes.append(found.groupby(["version", "period", VALUE]).size())
                writer.write_table(pa.Table.from_pandas(found, joined.schema, preserve_index=False))
            for path in (predicted, labelled):
                path.unlink(missing_ok=True)
    if total := [each for each in counts if len(each)]:
        summed = pd.concat(total).groupby(level=[0, 1]).sum().reset_index()
        joined.counts = summed.set_axis(COUNTS, axis=1)
    if classes:
        added = pd.concat(classes).groupby(level=[0, 1, 2]).sum()
        joined.classes = added.reset_index(name="rows")
    return joined


def _hashed(predictions: Iterable[pa.RecordBatch], joined: Joined) -> Iterator[pa.Table]:
    """Predictions with an id, whose hash takes its place."""
    for batch in predictions:
        joined.predictions += batch.num_rows
        found = batch.filter(pc.is_valid(batch["id"]))
        joined.without_id += batch.num_rows - found.num_rows
        hashes = ids.hashed(found["id"].to_numpy(zero_copy_only=False))
        yield pa.table(
            {
                HASH: pa.array(hashes, pa.uint64()),
                **{name: found[name] for name in ("version", "period", "time", "scores")},
            }
        )


def _as_tables(labels: Iterable[pd.DataFrame], columns: list[str]) -> Iterator[pa.Table]:
    schema = pa.schema(
        [(HASH, pa.uint64()), (VALUE, pa.float64()), *((name, pa.string()) for name in columns)]
    )
    for chunk in labels:
        yield pa.Table.from_pandas(chunk, schema, preserve_index=False)


def _pair_schema(columns: list[str]) -> pa.Schema:
    return pa.schema(
        [
            (HASH, pa.uint64()),
            ("version", pa.string()),
            ("period", pa.string()),
            ("scores", pa.list_(pa.float64())),
            (VALUE, pa.float64()),
            *((name, pa.string()) for name in columns),
        ]
    )


def _divide(tables: Iterable[pa.Table], folder: Path, buckets: int) -> list[Path]:
    """Write each row into the file of its bucket; a bucket without rows has no file."""
    folder.mkdir()
    paths = [folder / f"{number}.arrow" for number in range(buckets)]
    writers: dict[int, pa.RecordBatchStreamWriter] = {}
    with ExitStack() as stack:
        for block in _blocks(tables):
            bucket = (block[HASH].to_numpy() % np.uint64(buckets)).astype(np.int64)
            order = np.argsort(bucket, kind="stable")
            ordered = block.take(pa.array(order))
            edges = np.searchsorted(bucket[order], np.arange(buckets + 1))
            for number in np.flatnonzero(np.diff(edges)).tolist():
                if number not in writers:
                    file = stack.enter_context(pa.OSFile(str(paths[number]), "wb"))
                    writer = pa.ipc.new_stream(file, block.schema, options=_options())
                    writers[number] = stack.enter_context(writer)
                start, end = int(edges[number]), int(edges[number + 1])
                writers[number].write_table(ordered.slice(start, end - start))
    return paths


def _options() -> pa.ipc.IpcWriteOptions:
    return pa.ipc.IpcWriteOptions(compression="lz4")


def _blocks(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        if rows >= SPREAD_ROWS:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if rows:
        yield pa.concat_tables(waiting)


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame()
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        frame: pd.DataFrame = reader.read_all().to_pandas(split_blocks=True, self_destruct=True)
    return frame


def _one_label(labels: pd.DataFrame, joined: Joined) -> pd.DataFrame:
    """The labels of a bucket, one for each id, sorted by its hash; contradictions have none."""
    if not len(labels):
        return pd.DataFrame({HASH: np.empty(0, np.uint64), VALUE: np.empty(0)})
    joined.labels += len(labels)
    different = labels.drop_duplicates([HASH, VALUE])
    joined.duplicates += len(labels) - len(different)
    several = different[HASH].duplicated(keep=False)
    joined.contradictions += int(different.loc[several, HASH].nunique())
    return different[~several].sort_values(HASH, ignore_index=True)


def _pairs(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    known: Mapping[str, Known],
    joined: Joined,
) -> pd.DataFrame:
    """Predictions of a bucket with their labels, where `has`; the first of each id and version."""
    if not len(predictions):
        joined.unknown += len(labels)
        return pd.DataFrame({"version": [], "period": [], "has": []}, dtype=object)
    predicted = np.unique(predictions[HASH].to_numpy())
    joined.unknown += int((~is_in(labels[HASH].to_numpy(), predicted)).sum())
    seen = np.zeros(len(predictions), dtype=bool)
    for version, own in predictions.groupby("version").indices.items():
        part = predictions.iloc[own]
        seen[own] = known[str(version)].has(part[HASH].to_numpy(), part["period"].to_numpy())
        joined.known[str(version)] = joined.known.get(str(version), 0) + int(seen[own].sum())
    ordered = predictions[~seen].sort_values("time", kind="stable")
    first = ordered.drop_duplicates(["version", HASH])
    joined.repeated += len(ordered) - len(first)
    pairs = first.merge(labels, how="left", on=HASH)
    return pairs.assign(has=pairs[VALUE].notna()) if VALUE in pairs else pairs.assign(has=False)
