"""Ids of rows, written alike in files, requests and labels, and their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from mlops_platform.data.columns import Column

KEY = "mlops-ledger-key"  # 16 letters, as SipHash needs; other ones give other hashes


def as_texts(values: pd.Series | Sequence[Any], column: Column | None) -> np.ndarray:
    """Ids as texts, (rows,), objects; None where there is none.

    The id of a column of numbers is written as an integer: files have it as text, types as float64.
    """
    series = pd.Series(values, dtype=object)
    missing = (series.isna() | (series == "")).to_numpy()
    if column is not None and column.numeric:
        numbers = pd.to_numeric(series.mask(missing), errors="coerce")
        missing = missing | numbers.isna().to_numpy()
        texts = [f"{number:.0f}" for number in numbers.fillna(0).astype(float)]
        found = np.array(texts, dtype=object)
    elif infer_dtype(series, skipna=True) == "string":
        found = series.to_numpy(copy=True)
    else:
        found = np.array([str(value) for value in series], dtype=object)
    found[missing] = None
    return found


def hashed(texts: np.ndarray) -> np.ndarray:
    """64 bits of SipHash for each text, (rows,).

    Two of 100 million ids share a hash with a probability of 0.0003.
    """
    objects = np.asarray(texts, dtype=object)
    hashes: np.ndarray = pd.util.hash_array(objects, hash_key=KEY, categorize=False)
    return hashes.astype(np.uint64)
