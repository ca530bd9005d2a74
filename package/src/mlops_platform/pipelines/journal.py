"""The journal of steps that ran on this machine: when, for how long, and how they ended.

`.mlops/steps.jsonl`, a line a step; one whose result was taken from an earlier run has none. Runs'
folders are deleted after a while, and what they cost is asked for longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import make_folder
from mlops_platform.core.paths import STATE

FILE = "steps.jsonl"


class Entry(BaseModel):
    """One step: `run` is the name of its run's folder; an `error` is also a run that was ended."""

    model_config = ConfigDict(extra="forbid")

    began: AwareDatetime
    pipeline: str
    run: str
    step: str
    seconds: float = Field(ge=0, allow_inf_nan=False)
    outcome: Literal["passed", "gate", "error"]

    def includes(self, moment: datetime) -> bool:
        """Whether it ran at this moment, which may be cut to whole seconds."""
        began = self.began.replace(microsecond=0)
        return began <= moment <= self.began + timedelta(seconds=self.seconds)


@contextmanager
def recorded(root: Path, pipeline: str, run: str, step: str) -> Iterator[Callable[[], float]]:
    """Record the step that runs in this block, however it ends; yields its seconds up to now."""
    began, start = datetime.now(UTC), perf_counter()
    outcome: Literal["passed", "gate", "error"] = "error"
    try:
        yield lambda: perf_counter() - start
        outcome = "passed"
    except GateError:
        outcome = "gate"
        raise
    finally:
        entry = Entry(
            began=began,
            pipeline=pipeline,
            run=run,
            step=step,
            seconds=round(perf_counter() - start, 3),
            outcome=outcome,
        )
        path = root / STATE / FILE
        make_folder(path.parent)
        with path.open("a+b") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            cut = file.read() not in (b"", b"\n")  # a line whose process was killed
            file.write(b"\n" * cut + entry.model_dump_json().encode() + b"\n")


def read(root: Path) -> list[Entry]:
    """All steps, the oldest first; none before the first run.

    Raises:
        UsageError: a line is damaged.
    """
    path = root / STATE / FILE
    if not path.is_file():
        return []
    entries = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            entries.append(Entry.model_validate_json(line))
        except ValueError:
            raise UsageError(
                f"{path}, line {number}: is damaged. Delete the line; it is one step's seconds."
            ) from None
    return sorted(entries, key=lambda entry: entry.began)


def runs(entries: list[Entry], pipeline: str) -> list[list[Entry]]:
    """The steps of each run of a pipeline, the oldest run first.

    A step passes once in a run: where it comes again, `outputs/` was deleted and a new run has the
    name of an old one.
    """
    found = []
    mine = [entry for entry in entries if entry.pipeline == pipeline]
    for _, group in groupby(mine, key=lambda entry: entry.run):
        run: list[Entry] = []
        passed: set[str] = set()
        for entry in group:
            if entry.step in passed:
                found.append(run)
                run, passed = [], set()
            run.append(entry)
            passed |= {entry.step} if entry.outcome == "passed" else set()
        found.append(run)
    return found
