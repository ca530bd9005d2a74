"""Runs a pipeline job on this machine: the same file and commands that Azure ML runs.

Each step's outputs lie in `outputs/<pipeline>/<step>/`, with `step.json`, which says from what
they were made. A step whose command, code, inputs, packages and tracking store are unchanged is not
run again, unless its component says `is_deterministic: false`, or it ran before the files were
committed and now they are: only a commit says how to make a result again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import hash_path, whole_folder, write_text
from mlops_platform.core.paths import store_in
from mlops_platform.pipelines import (
    BINDING,
    OPTIONAL,
    PATHS,
    FromPipeline,
    FromStep,
    Pipeline,
    Step,
    load,
    words,
)
from mlops_platform.tracking import provenance

Invoke = Callable[[list[str]], None]
OUTPUTS = "outputs"


def run(
    path: Path,
    *,
    root: Path,
    invoke: Invoke,
    overrides: Mapping[str, str] | None = None,
    process_per_step: bool = False,
    outputs: Path | None = None,
    until: str | None = None,
) -> dict[str, Path]:
    """Run all steps in order; return the folder of each.

    `invoke` runs one command of this package in this process, given its arguments. `outputs` is
    where folders go, in place of `root/outputs`. `until` names the last step: it and what it needs
    are run.

    Raises:
        UsageError: the pipeline cannot run here, or a step was used wrongly.
        GateError: a step's gate said no; its evidence is kept, later steps did not run.
    """
    pipeline = load(path, overrides)
    _require_paths(pipeline.inputs, f"{path}, field `inputs")
    for step in pipeline.steps:
        _require_paths(step.bindings, f"{path}, field `jobs.{step.name}.inputs")
    steps = pipeline.steps if until is None else pipeline.ancestors(until)
    committed = provenance.is_committed(root)
    home = (outputs or root / OUTPUTS) / pipeline.name
    folders = {step.name: home / step.name for step in steps}
    done: set[str] = set()
    try:
        with terminal.progress(pipeline.name, len(steps)) as advance:
            for step in steps:
                values = _values(step, pipeline, folders)
                key = _key(step, values, root)
                fresh = _is_fresh(folders[step.name], step, key, root, committed=committed)
                if step.deterministic and fresh:
                    terminal.say(f"{pipeline.name}: {step.name} unchanged")
                else:
                    began = time.perf_counter()
                    _execute(
                        step,
                        values,
                        folders[step.name],
                        {"key": key, "committed": committed},
                        root=root,
                        invoke=invoke,
                        process_per_step=process_per_step,
                    )
                    took = time.perf_counter() - began
                    terminal.say(f"{pipeline.name}: {step.name} {took:.1f} s")
                done.add(step.name)
                advance(1)
    except GateError:
        done.add(step.name)
        raise
    finally:
        for name in folders.keys() - done:
            shutil.rmtree(folders[name], ignore_errors=True)
    return folders


def _require_paths(inputs: Mapping[str, Any], where: str) -> None:
    for name, value in inputs.items():
        if isinstance(value, Path) and not value.exists():
            raise UsageError(f"{where}.{name}`: there is no {value}.")


def _values(step: Step, pipeline: Pipeline, folders: dict[str, Path]) -> dict[str, Any]:
    """The value of each input that has one: literals as they are, files and folders as paths."""
    values: dict[str, Any] = {}
    for name, port in step.inputs.items():
        bound = step.bindings.get(name, port.default)
        if isinstance(bound, FromPipeline):
            bound = pipeline.inputs[bound.name]
        elif isinstance(bound, FromStep):
            bound = folders[bound.step] / bound.output
        if bound is None and port.optional:
            continue
        if bound is None:
            asked = step.bindings.get(name)
            where = f"{pipeline.source}, field `jobs.{step.name}.inputs.{name}`"
            if isinstance(asked, FromPipeline):
                raise UsageError(f"{where}: has no value. Give one: `--input {asked.name}=VALUE`.")
            raise UsageError(f"{where}: has no value. Write one.")
        if (port.type in PATHS) != isinstance(bound, Path) and port.type != "any":
            raise UsageError(
                f"{pipeline.source}, field `jobs.{step.name}.inputs.{name}`: {port.type} expected, "
                f"got {bound!r}."
            )
        values[name] = bound
    return values


def arguments(step: Step, values: Mapping[str, Any], outputs: Path) -> list[str]:
    """The step's command as a list, its bindings replaced; optional parts without a value fall."""

    def optional(match: Any) -> str:
        names = [name.partition(".")[2] for name in BINDING.findall(match[1])]
        return match[1] if all(name in values for name in names) else ""

    def replace(match: Any) -> str:
        group, _, name = match[1].partition(".")
        return str(outputs / name) if group == "outputs" else _text(values[name])

    return [BINDING.sub(replace, word) for word in words(OPTIONAL.sub(optional, step.command))]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _execute(
    step: Step,
    values: Mapping[str, Any],
    folder: Path,
    made_from: Mapping[str, Any],
    *,
    root: Path,
    invoke: Invoke,
    process_per_step: bool,
) -> None:
    failed: GateError | None = None
    with whole_folder(folder) as scratch:
        for name, port in step.outputs.items():
            if port.type != "uri_file":
                (scratch / name).mkdir()
        command = arguments(step, values, scratch)
        ours = command[:3] == ["python", "-m", "mlops_platform"]
        try:
            if ours and not process_per_step:
                with _environment(step.environment):
                    invoke(command[3:])
            else:
                _in_process_of_its_own(command, step, ours=ours)
        except GateError as error:
            failed = error
        for name in step.outputs:
            if failed is None and not (scratch / name).exists():
                raise UsageError(
                    f"{step.source}, field `outputs.{name}`: the command of '{step.name}' ended "
                    "well, but did not write it."
                )
        shown = arguments(step, values, folder)
        stored = store_in(root).is_file()
        record = {**made_from, "stored": stored, "passed": failed is None, "command": shown}
        write_text(scratch / "step.json", json.dumps(record, indent=2) + "\n")
    if failed is not None:
        raise failed


def _in_process_of_its_own(command: list[str], step: Step, *, ours: bool) -> None:
    """Run the command where its code lies, as Azure ML does.

    Exit code 1 is a gate's word in our own commands only: of others, a crash ends so, too.
    """
    if command[0] == "python":
        command = [sys.executable, *command[1:]]
    try:
        done = subprocess.run(
            command,
            cwd=step.code,
            env={**os.environ, **step.environment},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"{step.source}, field `command`: {command[0]}: {error}.") from None
    written = done.stderr.strip()
    if done.returncode == 1 and ours:
        raise GateError(written.rpartition("FAILED  ")[2] or "a gate failed")
    if done.returncode != 0:
        written = written.rpartition("ERROR  ")[2] or f"ended with exit code {done.returncode}"
        raise UsageError(f"step '{step.name}': {written}")
    if written:
        terminal.say(written)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _is_fresh(folder: Path, step: Step, key: str, root: Path, *, committed: bool) -> bool:
    if not all((folder / name).exists() for name in step.outputs):
        return False
    try:
        record = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(record, dict) or (committed and record.get("committed") is not True):
        return False
    if record.get("stored") and not store_in(root).is_file():  # its run is gone with the store
        return False
    return record.get("passed") is True and record.get("key") == key


def _key(step: Step, values: Mapping[str, Any], root: Path) -> str:
    """What the outputs depend on, as one hash."""
    lock = root / "uv.lock"
    parts = [
        step.command,
        json.dumps(step.environment, sort_keys=True),
        hash_path(step.code) if step.code else "",
        provenance.platform_hash(),
        hash_path(lock) if lock.is_file() else "",
        sys.version,
        os.environ.get("MLFLOW_TRACKING_URI", ""),  # a run of one store is unknown to another
    ]
    for name, value in sorted(values.items()):
        parts.append(f"{name}={hash_path(value) if isinstance(value, Path) else _text(value)}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
