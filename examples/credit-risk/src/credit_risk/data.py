"""Yours: where the data comes from."""

from pathlib import Path

import pandas as pd
from mlops_platform.data import csv_table


def load(path: Path) -> pd.DataFrame:
    """Read the raw data: one row a case, the columns that conf/data.yml names.

    Everything is read as text; the contract turns it into numbers, dates and categories.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"no CSV file in {path}")
    # Of files with another separator: csv_table.read(file, separator=";").
    return pd.concat(map(csv_table.read, files), ignore_index=True)
