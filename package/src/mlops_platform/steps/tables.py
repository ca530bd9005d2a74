"""Writes the rows of `prepare` as MLTable, for dashboards and monitors of Azure ML.

The dashboard calls the model, whose classes are codes; the monitor sees the labels that are served.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from mlops_platform import settings
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file, write_text
from mlops_platform.data import typed_rows
from mlops_platform.data.contract import load_contract

# https://learn.microsoft.com/azure/machine-learning/reference-yaml-mltable
TABLE = """\
paths:
  - file: ./{name}
transformations:
  - read_parquet:
      include_path_column: false
"""


def run(conf: Path, data: Path, train: Path, test: Path, reference: Path | None = None) -> None:
    """Write the training rows into the folder `train`, the test rows into `test`.

    With `reference`, the training rows as they are go there, and `train` and `test` have the codes
    of the labels in the target's column.

    Raises:
        UsageError: `data` is not what `prepare` wrote.
    """
    for part, folder in (("train", train), ("test", test)):
        source = data / f"{part}.parquet"
        if not source.is_file():
            raise UsageError(f"{source}: there is no such file. Run the step `prepare` first.")
        with atomic_file(folder / source.name) as scratch:
            if reference is None:
                shutil.copyfile(source, scratch)
            else:
                _with_codes(conf, source).to_parquet(scratch, index=False)
        write_text(folder / "MLTable", TABLE.format(name=source.name))
    if reference is not None:
        with atomic_file(reference / "train.parquet") as scratch:
            shutil.copyfile(data / "train.parquet", scratch)
        write_text(reference / "MLTable", TABLE.format(name="train.parquet"))


def _with_codes(conf: Path, source: Path) -> pd.DataFrame:
    """The rows, with the codes of the labels."""
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    rows = typed_rows.read(source)
    if contract.labels:
        codes = {label: code for code, label in enumerate(contract.labels)}
        rows[contract.target] = rows[contract.target].map(codes)
    return rows
