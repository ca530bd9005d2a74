"""What is wrong with a CSV file, its header or a row, and what to do about it."""

from __future__ import annotations

import codecs
import csv
import re

from mlops_platform.core.text import pluralize

MARKUP = re.compile(rb'\s*(\[\s*\{|\{\s*"|<(!doctype|html|\?xml))', re.IGNORECASE)
NO_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"PAR1")  # zip, Excel, gzip, Parquet
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def of_start(start: bytes) -> str:
    """The fault of a file by its first bytes; empty if it may be CSV."""
    if start.startswith(NO_TEXT):
        return "is a workbook or a compressed file. Save it as CSV in UTF-8"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or CONTROL.search(start):
        return "is not UTF-8 text, but perhaps UTF-16. Save it as CSV in UTF-8"
    if MARKUP.match(start):
        return "is JSON, HTML or XML. Save it as CSV with the column names in the first line"
    if start.lower().startswith((b"sep=", codecs.BOM_UTF8 + b"sep=")):
        return "begins with `sep=`, which is for Excel. Remove the first line"
    return ""


def of_header(names: list[str], separator: str) -> str:
    """The fault of the names in the first line; empty if there is none."""
    if not all(is_utf8(name) for name in names):
        return "is not UTF-8 text. Save the file as UTF-8"
    if len(names) == 1 and (other := re.search(r"[;|\t,]", names[0])):
        return f"the columns are separated by {other[0]!r}. Save the file with {separator!r}"
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


def of_row(values: list[str], width: int, separator: str) -> str:
    """The fault of a row below a header of `width` names; empty if there is none."""
    if len(values) != width:
        if len(values) < width:
            advice = f"write a {separator!r} also for an empty field"
        elif not any(values[width:]):
            advice = f"remove the {separator!r} at its end"
        else:
            advice = f"put a value with a {separator!r} in quotes, or write numbers with a point"
        return f"has {pluralize(len(values), 'field')}, the header has {width}; {advice}"
    if not all(value.isascii() or is_utf8(value) for value in values):
        return "is not UTF-8 text; save the file as UTF-8"
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


def is_utf8(value: str) -> bool:
    """Whether a text holds no byte that is not UTF-8, which reading turns into a lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
