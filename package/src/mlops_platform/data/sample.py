"""Takes a small part of data: the same shares of the target, and whole groups."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import make_folder, move
from mlops_platform.data import reader
from mlops_platform.data.compression import SUFFIXES
from mlops_platform.data.contract import Contract

BINS = 10  # of a target of numbers


class Sample(NamedTuple):
    """What was written: the file, its rows and those of the whole, and its size in bytes."""

    path: Path
    rows: int
    of: int
    size: int


def write(
    path: Path,
    folder: Path,
    contract: Contract,
    *,
    rows: int,
    seed: int,
    limit: int | None,
    replace: bool,
) -> Sample:
    """Write about `rows` rows of `path`, a file or folder, into `folder`: whole, or not at all.

    `limit` is the largest size in bytes. The same data and seed give the same rows.

    Raises:
        UsageError: the data cannot be read, lies in `folder` itself, or would lie there beside
            other data; a file of this name is there and not to be replaced; the part is too large.
    """
    out = folder / _name(path, contract)
    if path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{path}: lies in {folder}, whose files are all read. Move it out of there, and out of "
            "what git keeps, for example to a folder named in .gitignore."
        )
    if out.exists() and not replace:
        raise UsageError(f"{out}: is there already. Replace it with --replace.")
    others = [file.name for file in _there(folder, contract) if file.path != out]
    if others:
        raise UsageError(
            f"{folder}: holds {others[0]}, which would be read together with {out.name}. Delete or "
            "move it."
        )
    frame = reader.read(path, contract.source)
    lacking = [name for name in contract.raw if name not in frame.columns]
    if lacking:
        raise UsageError(
            f"{path}: has no column `{lacking[0]}`, which conf/data.yml has. Draft it again with "
            "--update."
        )
    part = frame.iloc[choose(frame, contract, rows, seed)]
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=folder) as scratch:
        made = reader.write(part, Path(scratch) / out.name, contract.source)
        size = made.stat().st_size
        if limit is not None and size > limit:
            fitting = int(len(part) * limit / size * 0.95)
            raise UsageError(
                f"{out}: {len(part)} rows are {size // 1024} KB, and the hook for large files "
                f"takes {limit // 1024} KB. Nothing is written; try `--rows {fitting}`."
            )
        move(made, out)
    return Sample(out, len(part), len(frame), size)


def choose(frame: pd.DataFrame, contract: Contract, rows: int, seed: int) -> np.ndarray:
    """Positions of about `rows` rows, in their order, drawn with a seed.

    Of each class, or tenth of a target of numbers, the same share, and at least one row; of a group
    all rows or none.
    """
    typed, _ = contract.typed(frame)
    target = typed[contract.target]
    if not contract.labels:
        target = pd.qcut(target.rank(method="first"), min(BINS, len(target)), labels=False)
    groups = contract.group_codes(typed)
    units, _ = pd.factorize(np.arange(len(frame)) if groups is None else groups)
    table = pd.DataFrame({"unit": units, "stratum": pd.factorize(target)[0]})
    counts = table.groupby(["unit", "stratum"]).size().reset_index(name="rows")
    # A group counts where most of its rows are.
    main = counts.sort_values("rows", kind="stable").drop_duplicates("unit", keep="last")
    main = main.assign(rows=main["unit"].map(table["unit"].value_counts())).sort_values("unit")
    drawn = main.iloc[np.random.default_rng(seed).permutation(len(main))]
    strata = drawn.groupby("stratum")["rows"]
    share = min(1, rows / len(frame))
    before = strata.cumsum() - drawn["rows"]
    wanted = before + drawn["rows"] / 2 <= share * strata.transform("sum")
    chosen = drawn.loc[wanted | (before == 0), "unit"]
    return np.flatnonzero(np.isin(units, chosen))


def _name(path: Path, contract: Contract) -> str:
    """The name of the part: that of the file, or a name of its own for those of a folder."""
    kind = reader.files(path, contract.source)[0].format
    if kind == "sql":
        raise UsageError(
            f"{path}: is a query, and git holds it as it is. For a part of a database write its "
            "rows into a file, and read that."
        )
    if path.is_file():
        return path.name
    ending = {kind: suffix for suffix, kind in SUFFIXES.items()}
    return f"sample.{kind}{ending.get(contract.source.compression or '', '')}"


def _there(folder: Path, contract: Contract) -> list[reader.File]:
    """The files that are read in a folder already."""
    try:
        return reader.files(folder, contract.source)
    except UsageError:
        return []
