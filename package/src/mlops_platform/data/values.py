"""Converts the values of one column to numbers, dates or text: the only place that does.

Text is converted by Arrow, a column at a time. What Arrow does not read, such as a number with
spaces around it, pandas may: value by value, so that no value depends on other rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import (
    infer_dtype,
    is_bool_dtype,
    is_datetime64_any_dtype,
    is_object_dtype,
    is_string_dtype,
)

from mlops_platform.data.columns import Column, as_text
from mlops_platform.data.source import PLAIN, Source

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"  # Arrow and pandas read it alike
ISO = r"^[1-9]\d{3}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"  # here, too
DATE = re.compile(r"\s*\d{4}")
DIGIT = re.compile(r"\d")
FINER = re.compile(r"([.,]\d{6})\d+")  # than microseconds
LAST = pd.Timestamp("9999-12-31T23:59:59.999999")  # datetime's last, and ISO 8601's


def convert(raw: pd.Series, column: Column, source: Source = PLAIN) -> tuple[pd.Series, np.ndarray]:
    """The values in the column's type, and which of them cannot be read: those are missing.

    Text is as in `source`.
    """
    raw = without_empty(raw)
    if column.numeric:
        read = numbers(raw, source.decimal)
    elif column.kind == "date":
        read = dates(raw, source.date_format)
    else:
        read = _texts(raw, frozenset(column.values or ()))
    return read, raw.notna().to_numpy() & read.isna().to_numpy()


def of_request(given: Sequence[Any], column: Column) -> Any:
    """What `convert` reads of values that a request's types allow; None is missing.

    One request has few values, and pandas takes as long for one as for a thousand.
    """
    if column.numeric:
        numbers = np.array([np.nan if value is None else value for value in given], dtype="float64")
        return np.where(np.isfinite(numbers), numbers, np.nan)
    present = [np.nan if value in (None, "") else value for value in given]
    if column.kind == "date":
        return dates(pd.Series(present, dtype=object))
    return pd.array(present, dtype="str")


def _texts(raw: pd.Series, known: frozenset[str]) -> pd.Series:
    if _is_text(raw):
        raw = raw.astype("str")
        if not known or (raw.isin(known) | raw.isna()).all():
            return raw
        return _by_value(raw, lambda values: values.map(lambda value: as_text(value, known)))
    pairs = zip(raw.to_numpy(dtype=object), raw.isna().to_numpy(), strict=True)
    read = [np.nan if missing else as_text(value, known) for value, missing in pairs]
    return pd.Series(read, index=raw.index, dtype="str")


def _by_value(raw: pd.Series, convert: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Convert each different text once; `convert` gets them without missing values."""
    coded = _arrow(raw).dictionary_encode()
    values = convert(pd.Series(coded.dictionary.to_pylist(), dtype=object))
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    read = values.reindex(range(-1, len(values))).to_numpy()  # -1, the first, is missing
    return pd.Series(read[codes + 1], index=raw.index, dtype=values.dtype)


def _arrow(raw: pd.Series) -> pa.Array:
    """A column of text as Arrow's; no copy where pandas keeps it so."""
    read = pa.array(raw.array, from_pandas=True)
    read = read.combine_chunks() if isinstance(read, pa.ChunkedArray) else read
    return read.cast(pa.string()) if pa.types.is_null(read.type) else read


def date_fault(value: str, low: object, high: object) -> str:
    """What is wrong with a date in ISO 8601 that a request gives; empty if nothing is."""
    read = dates(pd.Series([value], dtype=object)).iloc[0]
    if pd.isna(read):
        return "Input should be a date such as 2024-12-31"
    if isinstance(low, date) and read < pd.Timestamp(low):
        return f"Input should be {low} or later"
    if isinstance(high, date) and read > pd.Timestamp(high):
        return f"Input should be {high} or earlier"
    return ""


def without_empty(raw: pd.Series) -> pd.Series:
    """An empty text is a missing value."""
    if not (is_object_dtype(raw) or is_string_dtype(raw)):
        return raw
    if _is_text(raw):
        empty = (raw == "").to_numpy(dtype=bool, na_value=False)
    else:
        empty = raw.map(lambda value: isinstance(value, str) and not value).to_numpy(dtype=bool)
    return raw.mask(empty) if empty.any() else raw


def _is_text(raw: pd.Series) -> bool:
    """Whether all values are text or missing."""
    if is_object_dtype(raw):
        return bool(infer_dtype(raw, skipna=True) == "string")
    return bool(is_string_dtype(raw))


def numbers(raw: pd.Series, decimal: str = ".") -> pd.Series:
    """Numbers as float64; what is none, not finite, or true or false, is missing.

    With a decimal comma, a text with a point is none: it may mean thousands.
    """
    if raw.dtype == np.float64 and not np.isinf(raw.to_numpy()).any():
        return raw
    if is_bool_dtype(raw):
        return pd.Series(np.nan, index=raw.index)
    if _is_text(raw):
        read = pd.Series(_numbers_of_text(_arrow(raw), decimal), index=raw.index)
    elif is_object_dtype(raw):
        is_text = raw.map(lambda value: isinstance(value, str)).astype(bool)
        is_bool = raw.map(lambda value: isinstance(value, bool | np.bool_)).astype(bool)
        read = pd.to_numeric(raw.mask(is_text | is_bool), errors="coerce").astype("float64")
        if is_text.any():
            read[is_text] = numbers(raw[is_text], decimal)
    else:
        read = pd.to_numeric(raw, errors="coerce").astype("float64")
    return read.where(np.isfinite(read))


def _numbers_of_text(text: pa.Array, decimal: str) -> np.ndarray:
    """Texts as float64, (rows,); what is no number is missing."""
    if decimal == ",":
        pointed = pc.match_substring(text, ".")
        text = pc.if_else(pointed, None, pc.replace_substring(text, ",", "."))
    try:
        return _floats(text)
    except pa.ArrowInvalid:
        plain = pc.fill_null(pc.match_substring_regex(text, NUMBER), False)
        read = _floats(pc.if_else(plain, text, None)).copy()
        others = ~plain.to_numpy(zero_copy_only=False)
        read[others] = pd.to_numeric(text.to_pandas()[others].astype(object), errors="coerce")
        return read


def _floats(text: pa.Array) -> np.ndarray:
    read: np.ndarray = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    return read


def dates(raw: pd.Series, written: str | None = None) -> pd.Series:
    """Dates in UTC and in microseconds, each read by itself; what is no date is missing.

    Text is read as `written` says (strftime's codes), or else as ISO 8601.
    pandas chooses one unit for a whole column: with a value in nanoseconds it can read no date
    after 2262. It also takes `now` for a date, in any format, and a year as nanoseconds since 1970.
    """
    if _is_text(raw):
        return _by_value(raw, lambda values: _dates_of_texts(values, written))
    return _dates_of_values(raw, written)


def _dates_of_texts(texts: pd.Series, written: str | None) -> pd.Series:
    if written is None and (read := _plain_dates(_arrow(texts))) is not None:
        return pd.Series(read)
    return _dates_of_values(texts, written)


def _plain_dates(text: pa.Array) -> np.ndarray | None:
    """Dates in microseconds, (rows,), if all are written in the plainest form of ISO 8601."""
    if not pc.all(pc.match_substring_regex(text, ISO)).as_py():
        return None
    try:
        read: np.ndarray = pc.cast(text, pa.timestamp("us")).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # such as 2024-02-30
        return None
    return read


def _dates_of_values(raw: pd.Series, written: str | None) -> pd.Series:
    if written is not None and (is_object_dtype(raw) or is_string_dtype(raw)):
        is_text = raw.map(lambda value: isinstance(value, str)).astype(bool)
        text = raw.where(is_text).astype(object)
        text = text.mask(text.map(lambda value: isinstance(value, str) and not DIGIT.search(value)))
        read = _naive(pd.to_datetime(text, errors="coerce", format=written, utc=True))
        return read.where(is_text, _dates_of_values(raw.mask(is_text), None))
    text = raw
    if not is_datetime64_any_dtype(raw):
        text = raw.map(str, na_action="ignore").astype(object)
        is_date = text.map(lambda value: bool(DATE.match(value)), na_action="ignore") == True  # noqa: E712
        text = text.where(is_date).str.replace(FINER, r"\1", regex=True)
    return _naive(pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True))


def _naive(read: pd.Series) -> pd.Series:
    read = read.dt.tz_localize(None).dt.as_unit("us")
    return read.where(read <= LAST)
