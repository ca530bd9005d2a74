"""Writes the rows of `prepare` as MLTable, for dashboards and monitors of Azure ML."""

from __future__ import annotations

import shutil
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file, write_text

# https://learn.microsoft.com/azure/machine-learning/reference-yaml-mltable
TABLE = """\
paths:
  - file: ./{name}
transformations:
  - read_delimited:
      delimiter: ","
      encoding: utf8
      header: all_files_same_headers
      support_multi_line: true
"""


def run(data: Path, train: Path, test: Path) -> None:
    """Write the training rows into the folder `train`, the test rows into `test`.

    Raises:
        UsageError: `data` is not what `prepare` wrote.
    """
    for part, folder in (("train", train), ("test", test)):
        source = data / f"{part}.csv"
        if not source.is_file():
            raise UsageError(f"{source}: there is no such file. Run the step `prepare` first.")
        with atomic_file(folder / source.name) as scratch:
            shutil.copyfile(source, scratch)
        write_text(folder / "MLTable", TABLE.format(name=source.name))
