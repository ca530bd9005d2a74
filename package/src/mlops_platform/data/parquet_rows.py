"""Reads Parquet files in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_platform.core.errors import UsageError
from mlops_platform.data import lfs


def columns(path: Path) -> list[str]:
    """The names of the columns."""
    with _opened(path) as file:
        return [str(name) for name in file.schema_arrow.names]


def count(path: Path) -> int:
    """The number of rows."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def frames(path: Path, size: int) -> Iterator[pd.DataFrame]:
    """The rows, `size` at a time; whole numbers beside missing values stay exact."""
    with _opened(path) as file:
        for batch in file.iter_batches(size):
            yield batch.to_pandas(integer_object_nulls=True)


def open_file(path: Path) -> pq.ParquetFile:
    """A file to read in batches: by default, pyarrow keeps all bytes that it has read of it."""
    return pq.ParquetFile(path, pre_buffer=False)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write rows into a file."""
    frame.to_parquet(path, index=False)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """The file; what is wrong with it becomes an error that names it.

    Raises:
        UsageError: it is no Parquet file, it is damaged, or only a pointer of Git LFS.
    """
    lfs.require_content(path)
    try:
        with open_file(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path}: cannot be read as Parquet ({error}). Write it again.") from None
