"""Reads Parquet files in chunks, with pyarrow, which a project has in its group `team`."""

# ruff: noqa: PLC0415  pyarrow is imported where it is needed: not every project has it

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_platform.core.errors import UsageError
from mlops_platform.data import lfs

if TYPE_CHECKING:
    import pandas as pd


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


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write rows into a file."""
    _pyarrow(path)
    frame.to_parquet(path, index=False)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file; what is wrong with it becomes an error that names it.

    Raises:
        UsageError: it is no Parquet file, it is damaged or only a pointer of Git LFS, or pyarrow
            is not installed.
    """
    lfs.require_content(path)
    arrow = _pyarrow(path)
    try:
        with arrow.parquet.ParquetFile(path) as file:
            yield file
    except (arrow.ArrowException, OSError) as error:
        raise UsageError(f"{path}: cannot be read as Parquet ({error}). Write it again.") from None


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(f"{path}: Parquet needs pyarrow: `uv add --group team pyarrow`.") from None
    return pyarrow
