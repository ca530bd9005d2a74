"""Opens files that may be compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from mlops_platform.core.errors import UsageError
from mlops_platform.data import lfs
from mlops_platform.data.source import Source

SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}


def plain_suffix(name: str) -> str:
    """The suffix of a file's name, without that of a compression: `.csv` of `a.csv.gz`."""
    path = Path(name.lower())
    return Path(path.stem).suffix if path.suffix in SUFFIXES else path.suffix


@contextmanager
def opened(path: Path, source: Source) -> Iterator[tuple[BinaryIO, io.BufferedReader]]:
    """The file, whose position shows how much was read, and its content.

    Raises:
        UsageError: the file is damaged, or not compressed as its name or `source` says, or only a
            pointer of Git LFS.
    """
    lfs.require_content(path)
    kind = source.compression or SUFFIXES.get(path.suffix.lower(), "none")
    with path.open("rb") as file:
        try:
            yield file, io.BufferedReader(_decompressed(file, kind))
        except (gzip.BadGzipFile, lzma.LZMAError, EOFError, zlib.error) as error:
            raise _damaged(path, kind, error) from None
        except OSError as error:  # what bz2 and pyarrow raise
            if kind in ("bz2", "zstd"):
                raise _damaged(path, kind, error) from None
            raise


def _decompressed(file: BinaryIO, kind: str) -> Any:
    if kind == "gzip":
        return gzip.GzipFile(fileobj=file)
    if kind == "bz2":
        return bz2.BZ2File(file)
    if kind == "xz":
        return lzma.LZMAFile(file)
    if kind == "zstd":
        return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    return file


def _damaged(path: Path, kind: str, error: Exception) -> UsageError:
    return UsageError(
        f"{path}: cannot be read as {kind} ({error}). If it is not compressed so, write "
        "`compression: none` (or gzip, bz2, xz, zstd) in `source:` of conf/data.yml; else it is "
        "damaged: copy it again."
    )
