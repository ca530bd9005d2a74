"""Which files Spark reads, and how: whole, or in pieces of some lines."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import SparkSession

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import IGNORED, hash_path
from mlops_platform.data import reader
from mlops_platform.data.compression import SUFFIXES
from mlops_platform.data.contract import Contract
from mlops_platform.data.source import Source
from mlops_platform.models import rows
from mlops_platform.models.team import Team
from mlops_platform.spark.storage import Storage, Stored

PIECE = 64_000_000  # bytes; a larger CSV file is read in pieces
LARGEST = 1_000_000_000  # bytes that a worker holds at once


class Files(NamedTuple):
    """The files to read, in order: `whole` ones, and the others in pieces; all that are there."""

    root: str
    read: list[Stored]
    whole: list[bool]
    all: list[Stored]

    def shown(self, number: int) -> str:
        """The path of a file, as messages show it."""
        stored = self.read[number]
        return self.root if self.is_one else f"{self.root.rstrip('/')}/{stored.name}"

    @property
    def is_one(self) -> bool:
        """Whether the root is a file."""
        return len(self.all) == 1 and self.root.rstrip("/").endswith(f"/{self.all[0].name}")


def find(storage: Storage, root: str, contract: Contract, code: Team) -> Files:
    """The files of a folder, as the reader chooses them.

    Raises:
        UsageError: there is none, or rows are not read one file after the other.
    """
    rows.require_one_way(contract, code)
    for function in ("load", "select"):
        if code.has("data", function):
            raise UsageError(
                f"{code.path('data')} has {function}(), which needs all rows at once, in one "
                "process. Spark reads them in pieces: remove it, or leave Spark out."
            )
    source = contract.source
    if source.format == "sql":
        raise UsageError(
            "conf/data.yml, field `source.format`: Spark reads files, and no database. Export the "
            "rows as Parquet, or leave Spark out."
        )
    there = storage.files(root)
    named = {stored.name: stored for stored in there}
    read = [named[name] for name in _chosen(root, there, source)]
    whole = [stored.size <= PIECE or not _has_lines(stored.name, source) for stored in read]
    for stored, at_once in zip(read, whole, strict=True):
        if _is_hidden(stored):
            raise UsageError(f"{stored.address}: Spark hides such a name. Give it another one.")
        if at_once and stored.size > LARGEST:
            raise UsageError(
                f"{stored.address}: has {stored.size:,} bytes, and one worker reads it at once. "
                f"Write it in parts of at most {LARGEST:,} bytes."
            )
    return Files(root, read, whole, there)


def content_hash(session: SparkSession, storage: Storage, files: Files) -> str:
    """SHA-256 of the bytes of files, as `core.files.hash_path` gives it."""
    counted = [
        stored for stored in files.all if files.is_one or not IGNORED & set(Path(stored.name).parts)
    ]
    small = [stored for stored in counted if stored.size <= PIECE and not _is_hidden(stored)]
    hashes = dict(
        session.sparkContext.binaryFiles(",".join(pattern(stored.address) for stored in small))
        .mapValues(lambda content: hashlib.sha256(content).hexdigest())
        .collect()
        if small
        else []
    )
    for stored in counted:
        if stored.address not in hashes:
            with storage.fetched(stored.address) as path:
                hashes[stored.address] = hash_path(path)
    if files.is_one:
        return str(hashes[counted[0].address])
    digest = hashlib.sha256()
    for stored in counted:
        digest.update(stored.name.encode() + b"\0" + hashes[stored.address].encode())
    return digest.hexdigest()


def pattern(address: str) -> str:
    """An address for Hadoop's lists of patterns; a letter that means something there is any one."""
    return "".join("?" if letter in ",*?[]{}\\" else letter for letter in address)


def _chosen(root: str, there: list[Stored], source: Source) -> list[str]:
    """Names of the files that the reader takes; it gets a folder of empty files of these names."""
    with tempfile.TemporaryDirectory() as folder:
        for stored in there:
            path = Path(folder) / stored.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        is_one = len(there) == 1 and root.rstrip("/").endswith(f"/{there[0].name}")
        top = Path(folder) / there[0].name if is_one else Path(folder)
        try:
            return [file.name for file in reader.files(top, source)]
        except UsageError as error:
            raise UsageError(str(error).replace(str(top), root)) from None


def _is_hidden(stored: Stored) -> bool:
    """Whether Spark does not read it because of its name, or that of a folder."""
    return any(part.startswith((".", "_")) for part in Path(stored.name).parts)


def _has_lines(name: str, source: Source) -> bool:
    """Whether it is a CSV file in which a byte ends a line, and nothing else is that byte."""
    suffix = Path(name.lower()).suffix
    is_compressed = (source.compression or SUFFIXES.get(suffix, "none")) != "none"
    kind = reader.SUFFIXES.get(suffix, source.format)
    return kind == "csv" and not is_compressed and "\n".encode(source.encoding) == b"\n"
