"""Splits the rows into train, validation and test, the same way every time."""

from __future__ import annotations

import hashlib
import tempfile
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


class Typed(NamedTuple):
    """What decides the part of each row, (rows,), and where all typed rows are.

    `key`: a time, a number in [0, 1) that the id or the group gives, or the row's position.
    `target`: codes of the labels, empty for regression.
    """

    path: Path
    key: np.ndarray
    target: np.ndarray
    data_hash: str


def run(conf: Path, raw: Path, out: Path) -> None:
    """Write `out/{train,validation,test}.parquet` and `out/split.json`.

    Raises:
        UsageError: the rows cannot be split like this; nothing is written.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    train = settings.load_train(conf)
    require_split(train.split, contract, conf / "train.yml")
    code = team.load_team(conf)
    with tempfile.TemporaryDirectory() as scratch:
        typed = _collect(raw, Path(scratch) / "rows.arrow", contract, train, code)
        parts, description = _assign(typed.key, contract, train, conf / "train.yml")
        counts = dict(zip(PARTS, np.bincount(parts, minlength=3).tolist(), strict=True))
        for part, count in counts.items():
            if count < 10:
                raise UsageError(
                    f"{conf / 'train.yml'}, field `split`: only {count} rows fall into the {part} "
                    f"set. {_advice(typed.key, contract, train)}"
                )
        if contract.labels:
            _require_classes(typed.target, parts, contract, conf / "train.yml")
        _write(typed.path, parts, contract, out)
    evidence.write(
        evidence.Split(
            by=train.split.by,
            seed=train.seed,
            data_hash=typed.data_hash,
            rows=counts,
            hashes={part: hash_path(out / f"{part}.parquet") for part in PARTS},
            description=description,
        ),
        out / "split.json",
    )


def _collect(
    raw: Path, path: Path, contract: Contract, train: settings.Train, code: team.Team
) -> Typed:
    """Type all rows, chunk by chunk, into a file; only what decides their part stays in memory."""
    keys, targets = [], []
    content = rows.ContentHash(raw, contract, code)
    with typed_rows.spool(path, contract) as writer:
        for chunk in rows.training_chunks(raw, contract, code):
            typed = rows.read_rows(chunk, contract, code, judged=True).typed
            writer.write_table(typed_rows.table(typed, contract))
            keys.append(_key(typed, contract, train))
            if contract.labels:
                codes = pd.Categorical(typed[contract.target], contract.labels).codes
                targets.append(codes.astype(np.int16))
            content.add(chunk)
    target = np.concatenate(targets) if targets else np.empty(0, np.int16)
    return Typed(path, np.concatenate(keys), target, content.value())


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
        start = 0
        for table in typed_rows.spooled(path):
            own = parts[start : start + table.num_rows]
            start += table.num_rows
            for number, writer in enumerate(writers):
                if (mask := own == number).any():
                    writer.write_table(table.filter(pa.array(mask)))


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
