"""The ledger: predictions as a Parquet dataset, one folder for each version and period.

    .mlops/ledger/version=3/period=2026-11/<source>-0.parquet

A file is written beside the dataset and then moved into it, so a reader sees whole files only. What
begins with `_` or `.` is no part of the dataset. Features are never kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import make_folder, move, write_text
from mlops_platform.core.paths import STATE, project_root
from mlops_platform.data import parquet_rows

VARIABLE = "MLOPS_LEDGER"  # another folder, such as a volume of a container
TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("time", TIME),
        ("scores", pa.list_(pa.float64())),
        ("version", pa.string()),
        ("period", pa.string()),
    ]
)
PARTITIONS = ds.partitioning(
    pa.schema([SCHEMA.field("version"), SCHEMA.field("period")]), flavor="hive"
)
STREAM = "stream"  # the prefix of files that an endpoint writes, which may become many
MANY = 32  # so many files of a stream in one folder are made one
BATCH_ROWS = 65_536


def table(
    ids: np.ndarray | list[str | None],
    scores: np.ndarray,
    *,
    version: str,
    period: str | Sequence[str] | np.ndarray,
    time: datetime | list[datetime],
) -> pa.Table:
    """Predictions as rows of the ledger.

    Args:
        ids: texts, (rows,); None for a row without one, which cannot be judged.
        scores: probabilities in the order of the version's labels, (rows, labels), or values,
            (rows,).
        version: the number of the version.
        period: the name of the period, of all rows or of each.
        time: when they were predicted, in UTC.
    """
    given = np.ascontiguousarray(scores, dtype=np.float64)
    flat = given if given.ndim == 2 else given[:, np.newaxis]
    width = flat.shape[1]
    offsets = pa.array(np.arange(len(flat) + 1, dtype=np.int32) * width)
    return pa.table(
        [
            pa.array(ids, pa.string()),
            _each(time, TIME, len(flat)),
            pa.ListArray.from_arrays(offsets, pa.array(flat.ravel())),
            _each(version, pa.string(), len(flat)),
            _each(period, pa.string(), len(flat)),
        ],
        schema=SCHEMA,
    )


def _each(value: Any, kind: pa.DataType, rows: int) -> pa.Array:
    """A column of one value for all rows, or of one for each."""
    if isinstance(value, str | datetime):
        return pa.repeat(pa.scalar(value, kind), rows)
    return pa.array(value, kind)


class Ledger:
    """The predictions in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, conf: Path) -> Ledger:
        """The project's ledger: in `.mlops/ledger`, or in the folder that MLOPS_LEDGER names."""
        given = os.environ.get(VARIABLE)
        return cls(Path(given) if given else project_root(conf) / STATE / "ledger")

    def require_writable(self) -> None:
        """Check that predictions can be kept.

        Raises:
            UsageError: the folder cannot be written.
        """
        try:
            make_folder(self.folder)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix="."):
                pass
        except OSError as error:
            raise UsageError(
                f"{self.folder}: cannot be written ({error.strerror}), and `endpoint: true` in "
                "conf/truth.yml says that the endpoint keeps its predictions there. Give it a "
                f"folder or a volume, which {VARIABLE} may name, or write `endpoint: false`."
            ) from None

    def append(
        self, tables: Iterable[pa.Table], source: str | None = None, content: str = ""
    ) -> bool:
        """Add predictions, some at a time; False if this source was there with this content.

        An interrupted append is completed by the same one. The same source with other content
        replaces what it wrote before in the same folders.

        Args:
            tables: rows in SCHEMA.
            source: what they come from: letters, digits and hyphens. None: a part of a stream.
            content: a hash of the source, if `source` is not one itself.
        """
        mark = self.folder / "_sources" / f"{source}.txt"
        if source and mark.is_file() and mark.read_text(encoding="utf-8") == content + "\n":
            return False
        make_folder(self.folder)
        name = source or f"{STREAM}-{uuid.uuid4().hex}"
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".append-") as scratch:
            batches = (batch for table in tables for batch in table.to_batches())
            ds.write_dataset(
                pa.RecordBatchReader.from_batches(SCHEMA, batches),
                scratch,
                format="parquet",
                file_options=ds.ParquetFileFormat().make_write_options(compression="zstd"),
                partitioning=PARTITIONS,
                basename_template=f"{name}-{{i}}.parquet",
                max_partitions=100_000,
                max_rows_per_group=BATCH_ROWS,  # what a reader has in memory at once
            )
            for file in sorted(Path(scratch).rglob("*.parquet")):
                target = self.folder / file.relative_to(scratch)
                make_folder(target.parent)
                move(file, target)
        if source:
            write_text(mark, content + "\n")
        return True

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """All predictions, some at a time: memory does not grow with their number.

        Not by Arrow's scanner, which reads a gigabyte ahead of a reader that is slower.

        Raises:
            UsageError: a file is damaged.
        """
        stored = [name for name in SCHEMA.names[:3] if name in columns]
        for path in sorted(self.files()):
            version, period = (
                each.name.partition("=")[2] for each in (path.parents[1], path.parent)
            )
            for batch in _read(path, stored):
                found = dict(zip(batch.schema.names, batch.columns, strict=True))
                found["version"] = pa.repeat(pa.scalar(version), batch.num_rows)
                found["period"] = pa.repeat(pa.scalar(period), batch.num_rows)
                yield pa.RecordBatch.from_pydict({name: found[name] for name in columns})

    def rows(self) -> int:
        """The number of predictions.

        Raises:
            UsageError: a file is damaged.
        """
        total = 0
        for path in self.files():
            with _named_if_damaged(path):
                total += pq.read_metadata(path).num_rows
        return total

    def has(self, version: str) -> bool:
        """Whether predictions of a version are kept."""
        return any(self.folder.glob(f"version={version}/period=*/*.parquet"))

    def files(self) -> Iterator[Path]:
        """The files of the dataset."""
        return self.folder.glob("version=*/period=*/*.parquet")

    def expire(self, days: int, now: datetime) -> int:
        """Delete files whose predictions were all made more than `days` days ago; how many.

        Damaged files stay, so that the others expire; who reads them is told.
        """
        oldest = now - timedelta(days=days)
        expired = [file for file in self.files() if _newest(file) < oldest]
        for file in expired:
            file.unlink(missing_ok=True)  # an endpoint may do the same
            for folder in (file.parent, file.parent.parent):
                if not any(folder.iterdir()):
                    folder.rmdir()
        return len(expired)

    def compact(self) -> int:
        """Make one file of many small ones that an endpoint wrote; returns how many it replaced.

        The new file names those that it replaces. If this is interrupted, the next one deletes
        what is left of them; meanwhile some predictions are there twice, and count once.
        """
        replaced = 0
        for folder in sorted(self.folder.glob("version=*/period=*")):
            files = sorted(folder.glob(f"{STREAM}-*.parquet"))
            for file in files:
                if not file.exists():  # replaced by one before it
                    continue
                with _named_if_damaged(file):
                    metadata = pq.read_metadata(file).metadata or {}
                for name in json.loads(metadata.get(b"of", "[]")):
                    (folder / name).unlink(missing_ok=True)
            files = [file for file in files if file.exists()]
            if len(files) >= MANY:
                _merge(files, folder)
                replaced += len(files)
        return replaced


def _read(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with _named_if_damaged(path), parquet_rows.open_file(path) as file:
        if lacking := set(columns) - set(file.schema_arrow.names):
            raise pa.ArrowInvalid(f"it has no column {', '.join(sorted(lacking))}")
        yield from file.iter_batches(BATCH_ROWS, columns=columns)


def _merge(files: list[Path], folder: Path) -> None:
    names = json.dumps([file.name for file in files])
    schema = pa.schema([SCHEMA.field(name) for name in ("id", "time", "scores")])
    merged = folder / f"{STREAM}-{hashlib.sha256(names.encode()).hexdigest()[:32]}-0.parquet"
    scratch = merged.with_name(f".{merged.name}")
    try:
        with pq.ParquetWriter(
            scratch, schema.with_metadata({"of": names}), compression="zstd"
        ) as writer:
            for file in files:
                with parquet_rows.open_file(file) as opened:
                    for batch in opened.iter_batches(BATCH_ROWS):
                        writer.write_batch(batch.cast(schema.with_metadata({"of": names})))
        move(scratch, merged)
    finally:
        scratch.unlink(missing_ok=True)
    for file in files:
        file.unlink()


@contextmanager
def _named_if_damaged(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        source, said = file.stem.rpartition("-")[0], str(error).partition("\n")[0]
        raise UsageError(
            f"{file}: is damaged ({said}). Delete it: predictions of an endpoint are lost; "
            f"those of a batch come back if _sources/{source}.txt is deleted, too, and the same "
            "file is scored again."
        ) from None


def _newest(file: Path) -> datetime:
    """The time of the newest prediction in a file, from its statistics; the last one if damaged."""
    try:
        metadata = pq.read_metadata(file)
        place = metadata.schema.names.index("time")
    except ValueError:  # Arrow's is one
        return datetime.max.replace(tzinfo=UTC)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    found = [group.column(place).statistics.max for group in groups if group.num_rows]
    return max(found, default=datetime.min.replace(tzinfo=UTC))


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
