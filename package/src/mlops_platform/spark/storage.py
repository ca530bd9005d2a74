"""Folders and files of any storage that Spark reads, through Hadoop's file systems.

An address is a path of this machine, or a URI such as abfss://... or azureml://...
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import SparkSession

from mlops_platform.core.errors import UsageError

LOCAL = "file:"


class Stored(NamedTuple):
    """A file: its path below the folder that was given, its address, and its size in bytes."""

    name: str
    address: str
    size: int


class Storage:
    """The storage that a session of Spark has access to."""

    def __init__(self, session: SparkSession) -> None:
        self._jvm: Any = session.sparkContext._jvm
        self._settings: Any = session.sparkContext._jsc.hadoopConfiguration()

    def files(self, address: str) -> list[Stored]:
        """The file at an address, or all files below it, by name.

        Raises:
            UsageError: there is nothing.
        """
        root, system = self._open(address)
        if not system.exists(root):
            raise UsageError(f"{address}: there is no such file or folder to read.")
        top = system.getFileStatus(root)
        start = top.getPath().toString()
        found = []
        each = system.listFiles(root, True)
        while each.hasNext():
            status = each.next()
            path = status.getPath().toString()
            name = (
                path.removeprefix(f"{start}/") if top.isDirectory() else status.getPath().getName()
            )
            found.append(Stored(name, path, status.getLen()))
        return sorted(found)

    @contextmanager
    def fetched(self, address: str) -> Iterator[Path]:
        """A file or folder on this machine; a copy, if it is elsewhere."""
        if (path := local_path(address)) is not None:
            yield path
            return
        source, system = self._open(address)
        if not system.exists(source):
            raise UsageError(f"{address}: there is no such file or folder to read.")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / source.getName()
            system.copyToLocalFile(False, source, self._path(f"{LOCAL}{path}"), True)
            yield path

    @contextmanager
    def written(self, address: str) -> Iterator[Path]:
        """A folder on this machine whose files go to an address at the end, also after an error.

        A gate that fails leaves its evidence.
        """
        if (path := local_path(address)) is not None:
            yield path
            return
        with tempfile.TemporaryDirectory() as folder:
            try:
                yield Path(folder)
            finally:
                for file in sorted(Path(folder).iterdir()):
                    target, system = self._open(f"{address.rstrip('/')}/{file.name}")
                    system.copyFromLocalFile(False, True, self._path(f"{LOCAL}{file}"), target)

    def _open(self, address: str) -> tuple[Any, Any]:
        path = self._path(absolute(address))
        return path, path.getFileSystem(self._settings)

    def _path(self, address: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(address)


def absolute(address: str) -> str:
    """The address with its scheme: that of this machine, if it has none."""
    path = local_path(address)
    return address if path is None else f"{LOCAL}{path}"


def local_path(address: str) -> Path | None:
    """The path of an address on this machine; None for others."""
    if "://" in address:
        return None
    return Path(address.removeprefix(LOCAL)).resolve()
