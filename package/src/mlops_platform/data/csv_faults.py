"""What is wrong with a CSV file, its header or a row, and what to do about it."""

from __future__ import annotations

import codecs
import csv
import re

from mlops_platform.core.text import pluralize
from mlops_platform.data.source import Source

MARKUP = re.compile(rb'\s*(\[\s*\{|\{\s*"|<(!doctype|html|\?xml))', re.IGNORECASE)
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
WHERE = "in `source:` of conf/data.yml"
WORKBOOK = "is a workbook or a zip file. Save it as CSV in UTF-8"
BINARY = {
    b"PK\x03\x04": WORKBOOK,
    b"\xd0\xcf\x11\xe0": WORKBOOK,
    b"PAR1": f"is Parquet. Name it .parquet, or write `format: parquet` {WHERE}",
    b"\x1f\x8b": f"is compressed. Write `compression: gzip` {WHERE}",
    b"BZh": f"is compressed. Write `compression: bz2` {WHERE}",
    b"\xfd7zXZ\x00": f"is compressed. Write `compression: xz` {WHERE}",
    b"\x28\xb5\x2f\xfd": f"is compressed. Write `compression: zstd` {WHERE}",
}


def of_start(start: bytes, source: Source) -> str:
    """The fault of a file by its first bytes; empty if it may be CSV."""
    for magic, fault in BINARY.items():
        if start.startswith(magic):
            return fault
    wide = "16" in source.encoding or "32" in source.encoding
    if not wide and (
        start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or CONTROL.search(start)
    ):
        return (
            "is not UTF-8 text, but perhaps UTF-16. Save it as CSV in UTF-8, or write "
            f"`encoding: utf-16` {WHERE}"
        )
    if MARKUP.match(start):
        return "is JSON, HTML or XML. Save it as CSV with the column names in the first line"
    if start.lower().startswith((b"sep=", codecs.BOM_UTF8 + b"sep=")):
        return "begins with `sep=`, which is for Excel. Remove the first line"
    return ""


def of_header(names: list[str], source: Source) -> str:
    """The fault of the names in the first line; empty if there is none."""
    separator = source.separator
    if not all(is_text(name) for name in names):
        return f"is not {_called(source)} text. S{_encoding(source).removeprefix('s')}"
    if other := _other_separator(names, separator):
        return (
            f"the columns are separated by {other!r}. Write `separator: {_quoted(other)}` {WHERE}, "
            f"or save the file with {separator!r}"
        )
    for position, name in enumerate(names, 1):
        if not name.strip():
            return (
                f"column {position} has no name. Write one, or remove the {separator!r} too many "
                "from every line"
            )
        if position > (first := names.index(name) + 1):
            return (
                f"column `{name}`: appears 2 times, as column {first} and {position}. Rename or "
                "remove one"
            )
    return ""


def _other_separator(names: list[str], separator: str) -> str:
    """Another separator that the header has more often; names themselves may hold a comma."""
    text = "".join(names)
    counts = {other: text.count(other) for other in ";|\t,"}
    other = max(counts, key=lambda each: counts[each])
    return other if counts[other] > max(0, len(names) - 1) and other != separator else ""


def of_row(values: list[str], width: int, source: Source) -> str:
    """The fault of a row below a header of `width` names; empty if there is none."""
    separator = source.separator
    if len(values) != width:
        if len(values) < width:
            advice = f"write a {separator!r} also for an empty field"
        elif not any(values[width:]):
            advice = f"remove the {separator!r} at its end"
        elif separator == ",":
            advice = f"put a value with a {separator!r} in quotes, or write numbers with a point"
        else:
            advice = f"put a value with a {separator!r} in quotes"
        return f"has {pluralize(len(values), 'field')}, the header has {width}; {advice}"
    if not all(value.isascii() or is_text(value) for value in values):
        return f"is not {_called(source)} text; {_encoding(source)}"
    return ""


def of_error(error: csv.Error) -> str:
    """The csv module's reason in words that say what to do."""
    text = str(error)
    if "expected after" in text:
        text = 'write a quotation mark inside a value twice, as in "a ""b"" c"'
    elif "unexpected end" in text or "field larger" in text:
        text = "a quotation mark opens a value and none closes it"
    elif "new-line" in text:
        text = "save it with the line ends of Unix or Windows"
    return f"is not valid CSV: {text}"


def is_text(value: str) -> bool:
    """Whether a text holds no byte of another encoding, which becomes a lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _called(source: Source) -> str:
    return source.encoding.upper()


def _encoding(source: Source) -> str:
    other = "latin-1" if source.encoding.lower() in ("utf-8", "utf8") else "utf-8"
    return f"save the file as {_called(source)}, or write `encoding: {other}` {WHERE}"


def _quoted(separator: str) -> str:
    return '"\\t"' if separator == "\t" else f'"{separator}"'
