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
    frames = [pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""]) for file in files]
    return pd.concat(frames, ignore_index=True)
