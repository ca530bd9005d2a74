"""Splits the rows into train, validation and test, the same way every time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file, hash_path
from mlops_platform.data.contract import Contract, load_contract, require_split
from mlops_platform.models import rows, team

PARTS = ("train", "validation", "test")


def run(conf: Path, raw: Path, out: Path) -> None:
    """Write `out/{train,validation,test}.csv` and `out/split.json`.

    Raises:
        UsageError: the rows cannot be split like this; nothing is written.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    train = settings.load_train(conf)
    require_split(train.split, contract, conf / "train.yml")
    code = team.load_team(conf)
    frame = rows.for_training(raw, contract, code)
    typed = rows.read_rows(frame, contract, code).typed
    parts, description = _assign(typed, contract, train, conf / "train.yml")
    for part in PARTS:
        if (count := int((parts == part).sum())) < 10:
            raise UsageError(
                f"{conf / 'train.yml'}, field `split`: only {count} rows fall into the {part} set. "
                f"{_advice(typed, contract, train)}"
            )
    if contract.labels:
        _require_classes(typed[contract.target], parts, contract, conf / "train.yml")
    for part in PARTS:
        with atomic_file(out / f"{part}.csv") as scratch:
            typed[parts == part].to_csv(scratch, index=False, lineterminator="\n")
    evidence.write(
        evidence.Split(
            by=train.split.by,
            seed=train.seed,
            data_hash=rows.content_hash(raw, contract, frame, code),
            rows={part: int((parts == part).sum()) for part in PARTS},
            hashes={part: hash_path(out / f"{part}.csv") for part in PARTS},
            description=description,
        ),
        out / "split.json",
    )


def _advice(typed: pd.DataFrame, contract: Contract, train: settings.Train) -> str:
    """What to change where a part has too few rows."""
    if train.split.by != "group":
        return "Change the shares, or split `by: random`."
    name = contract.named("group")[0]
    return (
        f"The {len(typed)} rows are of {typed[name].nunique()} groups (`{name}`), which are drawn "
        "whole. Change the shares or `seed`, or add rows of other groups."
    )


def _require_classes(target: pd.Series, parts: pd.Series, contract: Contract, source: Path) -> None:
    """Check that every class can be learnt and measured; target and parts: (rows,)."""
    for part in PARTS:
        found = set(target[parts == part])
        lacking = [label for label in contract.labels if label not in found]
        if lacking and (part == "train" or len(found) < 2):
            raise UsageError(
                f"{source}, field `split`: no row with `{contract.target}` '{lacking[0]}' falls "
                f"into the {part} set. Change the shares, split `by: random`, or add such rows."
            )


def _assign(
    typed: pd.DataFrame, contract: Contract, train: settings.Train, source: Path
) -> tuple[pd.Series, str]:
    """The part of each row, (rows,), and a description of the split."""
    split = train.split
    if split.by == "random":
        rng = np.random.default_rng(train.seed)
        rank = pd.Series(rng.permutation(len(typed)) / len(typed), index=typed.index)
        sentence = f"rows drawn at random with seed {train.seed}"
    else:
        column = contract.named(split.by)[0]
        if split.by == "time":
            return _by_time(typed[column], split, source)
        rank = typed[column].map(lambda name: _draw(f"{train.seed}/{name}"))
        kept = "a row never changes its part"
        if split.by == "group":
            kept = f"all rows of one are in one part, and new ones follow; {rank.nunique()} groups"
        sentence = f"by a hash of `{column}` with seed {train.seed}: {kept}"
    parts = pd.Series("train", index=typed.index)
    parts[rank >= 1 - split.test - split.validation] = "validation"
    parts[rank >= 1 - split.test] = "test"
    return parts, sentence


def _by_time(times: pd.Series, split: settings.Split, source: Path) -> tuple[pd.Series, str]:
    """The latest times are the test set, those before them validation; a time is never split."""
    share = times.value_counts(normalize=True).sort_index().cumsum()
    if len(share) < 3:
        raise UsageError(
            f"{source}, field `split.by`: 'time' needs at least three different times in "
            f"`{times.name}`, found {len(share)}. Split by id or at random."
        )
    edges = share.to_numpy()
    last_train = int(np.abs(edges[:-2] - (1 - split.test - split.validation)).argmin())
    remaining = edges[last_train + 1 : -1]
    last_validation = last_train + 1 + int(np.abs(remaining - (1 - split.test)).argmin())
    train_end, validation_end = share.index[last_train], share.index[last_validation]
    parts = pd.Series("test", index=times.index)
    parts[times <= validation_end] = "validation"
    parts[times <= train_end] = "train"
    return parts, (
        f"by `{times.name}`: train to {_show(train_end)}, validation to {_show(validation_end)}, "
        f"test to {_show(share.index[-1])}"
    )


def _show(time: object) -> str:
    return f"{time:%Y-%m-%d}" if isinstance(time, pd.Timestamp) else f"{time:g}"


def _draw(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
