"""Copies raw data without identifiers of people, for environments that more people can read.

Ids and texts become keyed hashes (HMAC-SHA256, RFC 2104): without the key nobody can read them or
test names. A value has the same hash in all files of a copy, so that tables still join. Columns
that the contract does not have are dropped. All other columns stay, and a rare combination of them
may still identify a person: a masked copy is not anonymous.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file
from mlops_platform.data import compression, csv_rows
from mlops_platform.data.columns import EXACT, Column
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.data.source import Source

KEY = "MLOPS_MASK_KEY"
SHORTEST_KEY = 32
CHUNK_ROWS = 20_000
Mask = Callable[[str], str]


def run(conf: Path, raw: Path, replica: Path, out: Path) -> None:
    """Write a masked copy of each CSV file of `raw` to `replica`, and `out/masking.json`.

    Rows that cannot be read are skipped and counted. The key comes from MLOPS_MASK_KEY and is
    never written.

    Raises:
        UsageError: no key, a file that is not CSV, or an identifying column that cannot be masked;
            nothing is written.
    """
    source = conf / "data.yml"
    contract = load_contract(source, settings.load_project(conf).task)
    key = os.environ.get(KEY, "").encode()
    if len(key) < SHORTEST_KEY:
        raise UsageError(
            f"{KEY}: needs a key of {SHORTEST_KEY} characters or more, e.g. 64 hex digits."
        )
    if replica.resolve() == raw.resolve():
        raise UsageError(f"{replica}: is the raw data itself. Choose another folder for the copy.")
    masks = {
        name: _mask(name, contract.columns[name], key, source) for name in identifying(contract)
    }
    files = _files(raw, contract.source)
    rows = skipped = 0
    dropped: set[str] = set()
    with ExitStack() as stack:
        for file in files:
            names = csv_rows.header(file, contract.source)
            for name in masks:
                if name not in names:
                    raise UsageError(
                        f"{file}: has no column `{name}`, which {source} says identifies a row. "
                        "If data.py renames it, mask the data before it gets here."
                    )
            dropped |= set(names) - set(contract.raw)
            scratch = stack.enter_context(atomic_file(replica / _below(file, raw)))
            written, unreadable = _copy(file, scratch, names, contract, masks)
            rows, skipped = rows + written, skipped + unreadable
    evidence.write(
        evidence.Masking(
            files=len(files),
            rows=rows,
            left_out=skipped,
            hashed=list(masks),
            dropped=sorted(dropped),
        ),
        out / "masking.json",
    )


def identifying(contract: Contract) -> list[str]:
    """Columns that identify a person or a case, or contain free text."""
    return [
        name
        for name, col in contract.raw.items()
        if col.kind == "text" or col.role == "id" or (col.role, col.kind) == ("group", "integer")
    ]


def _mask(name: str, column: Column, key: bytes, source: Path) -> Mask:
    """A function that hashes a value within its kind, so that the contract still holds."""

    def digest(value: str) -> bytes:
        return hmac.new(key, f"{name}\0{value}".encode(), hashlib.sha256).digest()

    if column.kind == "text":
        return lambda value: digest(value).hex()[:32] if value else ""
    if column.kind == "integer" and column.max is None and (column.min or 0) <= 0:  # type: ignore[operator]
        return lambda value: str(int.from_bytes(digest(value)[:8], "big") % EXACT) if value else ""
    raise UsageError(
        f"{source}, field `columns.{name}`: an id of this kind or range cannot be hashed. Make it "
        "`kind: text`, or an integer without `max`."
    )


def _files(raw: Path, source: Source) -> list[Path]:
    files = sorted(path for path in raw.rglob("*") if path.is_file()) if raw.is_dir() else [raw]
    if not files:
        raise UsageError(f"{raw}: holds no file.")
    for file in files:
        if file.suffix.lower() in compression.SUFFIXES or source.compression not in (None, "none"):
            raise UsageError(
                f"{file}: is compressed. Decompress it first, for example with `gunzip` or "
                "`xz --decompress`, and write no `compression` in `source:` of conf/data.yml."
            )
        if file.suffix.lower() != ".csv":
            raise UsageError(
                f"{file}: is not a CSV file; only those can be masked. Write its rows as CSV, or "
                "take it out of the folder."
            )
    return files


def _below(file: Path, raw: Path) -> Path:
    return file.relative_to(raw) if raw.is_dir() else Path(file.name)


def _copy(
    file: Path, scratch: Path, names: list[str], contract: Contract, masks: dict[str, Mask]
) -> tuple[int, int]:
    """Rows that were written, and rows that could not be read."""
    positions = [position for position, name in enumerate(names) if name in contract.raw]
    plain: Mask = str
    columns = [(position, masks.get(names[position], plain)) for position in positions]
    written = unreadable = 0
    source = contract.source
    with scratch.open("w", encoding=source.encoding, newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", delimiter=source.separator)
        writer.writerow([names[position] for position in positions])
        for chunk in csv_rows.chunks(file, CHUNK_ROWS, contract.source):
            for fields in chunk.fields:
                writer.writerow([mask(fields[position]) for position, mask in columns])
            written, unreadable = written + len(chunk.fields), unreadable + len(chunk.malformed)
    return written, unreadable
