"""Yours: what is derived from the data, and the rows to train on.

How files are read is `source` in conf/data.yml: CSV in any form, Parquet, or a database.
"""

import pandas as pd


def derive(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns under `derived` in conf/data.yml; none yet.

    It gets typed features and inputs in training, batch, monitor and endpoint, and looks at each
    row by itself: `pd.DataFrame({"weekday": rows["day"].dt.day_of_week}, index=rows.index)`.
    """
    return pd.DataFrame(index=rows.index)
