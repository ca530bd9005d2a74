"""Converts the values of one column to numbers, dates or text: the only place that does."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import (
    infer_dtype,
    is_bool_dtype,
    is_datetime64_any_dtype,
    is_object_dtype,
    is_string_dtype,
)

from mlops_platform.data.columns import Column, as_text
from mlops_platform.data.source import PLAIN, Source

DATE = re.compile(r"\s*\d{4}")
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


def _texts(raw: pd.Series, known: frozenset[str]) -> pd.Series:
    pairs = zip(raw.to_numpy(dtype=object), raw.isna().to_numpy(), strict=True)
    read = [np.nan if missing else as_text(value, known) for value, missing in pairs]
    return pd.Series(read, index=raw.index, dtype=object)


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
    if _only_text(raw):
        empty = raw == ""
    else:
        empty = raw.map(lambda value: isinstance(value, str) and not value)
    return raw.mask(empty) if empty.any() else raw


def _only_text(raw: pd.Series) -> bool:
    """Whether all values are text or missing, so that there is no need to look at each."""
    return bool(infer_dtype(raw, skipna=True) == "string")


def numbers(raw: pd.Series, decimal: str = ".") -> pd.Series:
    """Numbers as float64; what is none, not finite, or true or false, is missing.

    With a decimal comma, a text with a point is none: it may mean thousands.
    """
    if raw.dtype == np.float64 and not np.isinf(raw.to_numpy()).any():
        return raw
    if is_bool_dtype(raw):
        return pd.Series(np.nan, index=raw.index)
    if decimal == "," and (is_object_dtype(raw) or is_string_dtype(raw)):
        raw = raw.map(_with_point, na_action="ignore")
    if is_object_dtype(raw) and not _only_text(raw):
        raw = raw.mask(raw.map(lambda value: isinstance(value, bool | np.bool_)))
    read = pd.to_numeric(raw, errors="coerce").astype("float64")
    return read.where(np.isfinite(read))


def _with_point(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return np.nan if "." in value else value.replace(",", ".")


def dates(raw: pd.Series, written: str | None = None) -> pd.Series:
    """Dates in UTC and in microseconds, each read by itself; what is no date is missing.

    Text is read as `written` says (strftime's codes), or else as ISO 8601.
    pandas chooses one unit for a whole column: with a value in nanoseconds it can read no date
    after 2262. It also takes `now` for a date, and a year as nanoseconds since 1970.
    """
    if written is not None and (is_object_dtype(raw) or is_string_dtype(raw)):
        is_text = raw.map(lambda value: isinstance(value, str)).astype(bool)
        text = raw.where(is_text).astype(object)
        read = _naive(pd.to_datetime(text, errors="coerce", format=written, utc=True))
        return read.where(is_text, dates(raw.mask(is_text)))
    text = raw
    if not is_datetime64_any_dtype(raw):
        text = raw.map(str, na_action="ignore").astype(object)
        is_date = text.map(lambda value: bool(DATE.match(value)), na_action="ignore") == True  # noqa: E712
        text = text.where(is_date).str.replace(FINER, r"\1", regex=True)
    return _naive(pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True))


def _naive(read: pd.Series) -> pd.Series:
    read = read.dt.tz_localize(None).dt.as_unit("us")
    return read.where(read <= LAST)
