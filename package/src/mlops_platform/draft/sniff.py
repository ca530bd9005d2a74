"""Finds out how raw data is written: the `source` of conf/data.yml, from the files themselves."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import reader, values
from mlops_platform.data.compression import opened
from mlops_platform.data.source import Format, Source

SEPARATORS = ",;\t|"
LINES = 200
BLOCK = 1 << 20
COMMA = r"\s*[-+]?\d+,\d+\s*"
POINT = r"\s*[-+]?\d+\.\d+\s*"
ALWAYS_MISSING = ("?", "NaN", "NULL", "N/A", "#N/A")
MAYBE_MISSING = ("NA", "nan", "null", "n/a", "None", "none", "-", ".")
DATE_FORMATS = tuple(
    f"{day}{time}"
    for time in ("", " %H:%M", " %H:%M:%S")
    for day in (
        "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y",
        "%m/%d/%y",
    )
)  # fmt: skip
DATE_LIKE = re.compile(r"\s*\d{1,2}([./-])\d{1,2}\1\d{2}")


class Sniffed(NamedTuple):
    """The rows, (rows, columns), how they are written, and what was guessed."""

    frame: pd.DataFrame
    source: Source
    notes: list[str]


def sniff(path: Path, url: str | None = None) -> Sniffed:
    """Read data whose form is not known; `url` names the variable with a database's URL.

    Raises:
        UsageError: there is no data, or it cannot be read.
    """
    kind = _format(path)
    if kind == "sql" and url is None:
        raise UsageError(
            f"{path}: is a query. Add `--url NAME`, the environment variable that has the "
            "SQLAlchemy URL of its database."
        )
    if kind == "sql":
        source = Source(format="sql", url=url)
    elif kind == "parquet":
        source = Source(format="parquet")
    else:
        found = reader.files(path, Source())
        encoding = _encoding([file.path for file in found])
        source = Source(encoding=encoding, separator=_separator(found[0].path, encoding))
    frame = reader.read(path, source)
    if frame.empty:
        raise UsageError(f"{path}: has no rows below the column names.")
    return _text_forms(frame, source)


def _format(path: Path) -> Format:
    """What a file is, or the first of the files in a folder that can be read."""
    if path.is_file():
        return reader.files(path, Source())[0].format
    for kind in ("parquet", "csv"):
        try:
            reader.files(path, Source(format=kind))
        except UsageError:
            continue
        return kind
    if path.is_dir() and any(path.glob("*.sql")):
        return "sql"
    reader.files(path, Source())  # says what is wrong
    return "csv"


def _encoding(paths: list[Path]) -> str:
    """utf-8 if all bytes of all files are, else utf-16 by its first bytes, or what Windows has."""
    wide = {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    for path in paths:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for number, block in enumerate(_blocks(path)):
            if number == 0 and block[:2] in wide:
                return "utf-16"
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return _western(path)
    return "utf-8"


def _western(path: Path) -> str:
    """cp1252, unless a byte has no meaning in it; latin-1 reads all bytes."""
    try:
        for block in _blocks(path):
            block.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _blocks(path: Path) -> Iterator[bytes]:
    with opened(path, Source()) as (_, stream):
        while block := stream.read(BLOCK):
            yield block


def _separator(path: Path, encoding: str) -> str:
    """The separator with which most of the first lines have as many fields as the header.

    The csv module's Sniffer counts letters in text that is not split into fields.
    """
    with opened(path, Source()) as (_, stream):
        text = io.TextIOWrapper(
            stream, "utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline=""
        )
        lines = [line for _, line in zip(range(LINES), text, strict=False)]
        text.detach()

    def agreement(separator: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        if not widths or widths[0] < 2:
            return 0, 0
        share = sum(width == widths[0] for width in widths) / len(widths)
        return round(share, 1), widths[0]

    return max(SEPARATORS, key=agreement)


def _text_forms(frame: pd.DataFrame, source: Source) -> Sniffed:
    """Find texts for missing values, the decimal mark and the date format of text columns."""
    notes: list[str] = []
    texts = {
        str(name): frame[name].dropna().astype(str).drop_duplicates()
        for name in frame.columns
        if frame[name].map(lambda value: isinstance(value, str)).any()
    }
    missing = _missing(texts)
    if missing:
        frame = frame.mask(frame.isin(missing), np.nan)
        texts = {name: text[~text.isin(missing)] for name, text in texts.items()}
    full = [text for text in texts.values() if len(text)]
    change: dict[str, object] = {"missing": missing} if missing else {}
    commas = [bool(text.str.fullmatch(rf"{COMMA}|[-+]?\d+").all()) for text in full]
    some = [bool(text.str.fullmatch(COMMA).any()) for text in full]
    points = [bool(text.str.fullmatch(rf"{POINT}|[-+]?\d+").all()) for text in full]
    with_point = [bool(text.str.fullmatch(POINT).any()) for text in full]
    by_comma = sum(a and b for a, b in zip(commas, some, strict=True))
    by_point = sum(a and b for a, b in zip(points, with_point, strict=True))
    if source.format == "csv" and source.separator != "," and by_comma > by_point:
        change["decimal"] = ","
    dated = [text for text in full if text.str.match(DATE_LIKE).all()]
    read = {
        written: sum(_is_written(text, written) for text in dated)
        for written in (DATE_FORMATS if dated else ())
    }
    best = max(read.values(), default=0)
    if best:
        same = [written for written, count in read.items() if count == best]
        change["date_format"] = same[0]
        if len(same) > 1:
            notes.append(f"`date_format` is a guess: {same[1]} reads all dates, too")
    if source.format == "sql":
        return Sniffed(frame, source, notes)
    return Sniffed(frame, Source(**{**source.model_dump(exclude_unset=True), **change}), notes)


def _is_written(text: pd.Series, written: str) -> bool:
    """Whether all texts are dates of this format; the first ones tell most that are not."""
    return all(bool(values.dates(part, written).notna().all()) for part in (text[:LINES], text))


def _missing(texts: dict[str, pd.Series]) -> list[str]:
    """Texts that stand for missing values: some always, some if all others are numbers or dates."""
    found: set[str] = set()
    for text in texts.values():
        seen = set(text.unique())
        found |= seen & set(ALWAYS_MISSING)
        maybe = seen & set(MAYBE_MISSING)
        others = text[~text.isin([*ALWAYS_MISSING, *MAYBE_MISSING])]
        if maybe and len(others) and others.str.fullmatch(r"[-+]?[\d.,:/ -]*\d[\d.,:/ -]*").all():
            found |= maybe
    return sorted(found)
