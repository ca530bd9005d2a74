"""Splits the rows into train, validation and test, the same way every time."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file, hash_path
from mlops_platform.data import typed_rows
from mlops_platform.data.contract import Contract, load_contract, require_split
from mlops_platform.data.typed_rows import PARTS
from mlops_platform.models import rows, team


class Plan(NamedTuple):
    """What a split is made of: the settings in `source`, the contract and the team's code."""

    contract: Contract
    train: settings.Train
    code: team.Team
    source: Path


class Typed(NamedTuple):
    """What decides the part of each row, (rows,).

    `key`: a time, a number in [0, 1) that the id or the group gives, or the row's position.
    `target`: codes of the labels, empty for regression.
    """

    key: np.ndarray
    target: np.ndarray


class Parts(NamedTuple):
    """The part of each row, (rows,), as a position in PARTS; how many each has, and why."""

    numbers: np.ndarray
    counts: dict[str, int]
    description: str


def run(conf: Path, raw: Path, out: Path) -> None:
    """Write `out/{train,validation,test}.parquet` and `out/split.json`.

    Raises:
        UsageError: the rows cannot be split like this; nothing is written.
    """
    plan = read_plan(conf)
    content = rows.ContentHash(raw, plan.contract, plan.code)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.arrow"
        parts = divide(collect(raw, path, plan, content.add), plan)
        _write(path, parts.numbers, plan.contract, out)
    record(parts, content.value(), plan, out)


def read_plan(conf: Path) -> Plan:
    """How the settings of a project split its rows.

    Raises:
        UsageError: no column has the role that rows are split by.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    train = settings.load_train(conf)
    require_split(train.split, contract, conf / "train.yml")
    return Plan(contract, train, team.load_team(conf), conf / "train.yml")


def collect(
    raw: Path, path: Path, plan: Plan, each: Callable[[pd.DataFrame], None] = lambda _: None
) -> Typed:
    """Type all rows, chunk by chunk, into a file; only what decides their part stays in memory.

    `each` gets every chunk as it was read.
    """
    contract = plan.contract
    keys, targets = [], []
    with typed_rows.spool(path, contract) as writer:
        for chunk in rows.training_chunks(raw, contract, plan.code):
            typed = rows.read_rows(chunk, contract, plan.code, judged=True).typed
            writer.write_table(typed_rows.table(typed, contract))
            keys.append(_key(typed, contract, plan.train))
            if contract.labels:
                codes = pd.Categorical(typed[contract.target], contract.labels).codes
                targets.append(codes.astype(np.int16))
            each(chunk)
    target = np.concatenate(targets) if targets else np.empty(0, np.int16)
    return Typed(np.concatenate(keys), target)


def divide(typed: Typed, plan: Plan) -> Parts:
    """Give each row its part.

    Raises:
        UsageError: the rows cannot be split like this.
    """
    numbers, description = _assign(typed.key, plan.contract, plan.train, plan.source)
    counts = dict(zip(PARTS, np.bincount(numbers, minlength=3).tolist(), strict=True))
    for part, count in counts.items():
        if count < 10:
            raise UsageError(
                f"{plan.source}, field `split`: only {count} rows fall into the {part} "
                f"set. {_advice(typed.key, plan.contract, plan.train)}"
            )
    if plan.contract.labels:
        _require_classes(typed.target, numbers, plan.contract, plan.source)
    return Parts(numbers, counts, description)


def record(parts: Parts, data_hash: str, plan: Plan, out: Path) -> None:
    """Write `out/split.json`, the evidence of the files that are there."""
    evidence.write(
        evidence.Split(
            by=plan.train.split.by,
            seed=plan.train.seed,
            data_hash=data_hash,
            rows=parts.counts,
            hashes={part: hash_path(out / f"{part}.parquet") for part in PARTS},
            description=parts.description,
        ),
        out / "split.json",
    )


def _key(typed: pd.DataFrame, contract: Contract, train: settings.Train) -> np.ndarray:
    if train.split.by == "random":
        return np.asarray(typed.index)
    values = typed[contract.named(train.split.by)[0]]
    if train.split.by == "time":
        return np.asarray(values)
    draws = {value: _draw(f"{train.seed}/{value}") for value in values.unique()}
    return np.asarray(values.map(draws), dtype=np.float64)


def _write(path: Path, parts: np.ndarray, contract: Contract, out: Path) -> None:
    """Write the rows of each part."""
    with ExitStack() as stack:
        writers = []
        for part in PARTS:
            scratch = stack.enter_context(atomic_file(out / f"{part}.parquet"))
            writer = pq.ParquetWriter(scratch, typed_rows.schema(contract))
            writers.append(stack.enter_context(writer))
        for number, table in select(path, parts):
            writers[number].write_table(table)


def select(path: Path, parts: np.ndarray) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a file of typed rows, chunk by chunk, with the number of their part."""
    start = 0
    for table in typed_rows.spooled(path):
        own = parts[start : start + table.num_rows]
        start += table.num_rows
        for number in range(len(PARTS)):
            if (mask := own == number).any():
                yield number, table.filter(pa.array(mask))


def _advice(key: np.ndarray, contract: Contract, train: settings.Train) -> str:
    """What to change where a part has too few rows."""
    if train.split.by != "group":
        return "Change the shares, or split `by: random`."
    name = contract.named("group")[0]
    return (
        f"The {len(key)} rows are of {len(np.unique(key))} groups (`{name}`), which are drawn "
        "whole. Change the shares or `seed`, or add rows of other groups."
    )


def _require_classes(
    target: np.ndarray, parts: np.ndarray, contract: Contract, source: Path
) -> None:
    """Check that every class can be learnt and measured; codes of labels and parts: (rows,)."""
    for number, part in enumerate(PARTS):
        found = set(np.unique(target[parts == number]).tolist())
        lacking = [label for code, label in enumerate(contract.labels) if code not in found]
        if lacking and (part == "train" or len(found) < 2):
            raise UsageError(
                f"{source}, field `split`: no row with `{contract.target}` '{lacking[0]}' falls "
                f"into the {part} set. Change the shares, split `by: random`, or add such rows."
            )


def _assign(
    key: np.ndarray, contract: Contract, train: settings.Train, source: Path
) -> tuple[np.ndarray, str]:
    """The part of each row, (rows,), as its position in PARTS, and a description of the split."""
    split = train.split
    if split.by == "time":
        return _by_time(pd.Series(key, name=contract.named("time")[0], copy=False), split, source)
    if split.by == "random":
        rank = np.random.default_rng(train.seed).permutation(len(key)) / len(key)
        sentence = f"rows drawn at random with seed {train.seed}"
    else:
        rank = key
        kept = "a row never changes its part"
        if split.by == "group":
            groups = len(np.unique(key))
            kept = f"all rows of one are in one part, and new ones follow; {groups} groups"
        column = contract.named(split.by)[0]
        sentence = f"by a hash of `{column}` with seed {train.seed}: {kept}"
    edges = [1 - split.test - split.validation, 1 - split.test]
    return np.searchsorted(edges, rank, side="right").astype(np.int8), sentence


def _by_time(times: pd.Series, split: settings.Split, source: Path) -> tuple[np.ndarray, str]:
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
    parts = (times > train_end).astype(np.int8) + (times > validation_end).astype(np.int8)
    return parts.to_numpy(), (
        f"by `{times.name}`: train to {_show(train_end)}, validation to {_show(validation_end)}, "
        f"test to {_show(share.index[-1])}"
    )


def _show(time: object) -> str:
    return f"{time:%Y-%m-%d}" if isinstance(time, pd.Timestamp) else f"{time:g}"


def _draw(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
