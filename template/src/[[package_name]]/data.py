"""Yours: where the data comes from."""

from pathlib import Path

import pandas as pd


def load(path: Path) -> pd.DataFrame:
    """Read the raw data: one row a case, the columns that conf/data.yml names.

    Everything is read as text; the contract turns it into numbers, dates and categories.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"no CSV file in {path}")
    return pd.concat(map(read, files), ignore_index=True)


def read(file: Path) -> pd.DataFrame:
    """Read one file; a comma divides its columns."""
    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""])
    except ValueError as error:  # pandas calls all so that is no CSV, or no UTF-8
        raise ValueError(f"{file} cannot be read as CSV: {error}") from error
