"""Runs a pipeline job on this machine: the same file and commands that Azure ML runs.

`outputs` says where a step's outputs are; beside them is the hash of their sources, in `step.json`.
The result of a step with the same command, code, inputs, packages and tracking store is taken from
an earlier run, except if its component has `is_deterministic: false`, or if it ran before the files
were committed and now they are: only a commit makes a result reproducible.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops_platform.core import terminal
from mlops_platform.core.errors import CodeError, GateError, UsageError
from mlops_platform.core.files import atomic_folder, hash_path, write_text
from mlops_platform.core.paths import default_store
from mlops_platform.core.programs import PYTHON_UTF8
from mlops_platform.pipelines import (
    PATHS,
    FromPipeline,
    FromStep,
    Pipeline,
    Step,
    journal,
    load,
)
from mlops_platform.pipelines.command import build_command, default_of, to_text
from mlops_platform.pipelines.outputs import NewRun, latest, new_run
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

    `invoke` runs one command of this package in this process, given its arguments. `outputs`
    replaces `root/outputs`. `until` names the last step: only it and its dependencies run.

    Raises:
        UsageError: the pipeline cannot run here, or a step was used wrongly.
        GateError: a step's gate failed; its evidence is kept, later steps did not run.
    """
    pipeline = load(path, overrides)
    _require_paths(pipeline.inputs, f"{path}, field `inputs")
    for step in pipeline.steps:
        _require_paths(step.bindings, f"{path}, field `jobs.{step.name}.inputs")
    steps = pipeline.steps if until is None else pipeline.ancestors(until)
    with new_run((outputs or root / OUTPUTS) / pipeline.name) as new:
        ended = _run_steps(pipeline, steps, new, root, invoke, process_per_step=process_per_step)
    return {step.name: ended / step.name for step in steps}


def _run_steps(
    pipeline: Pipeline,
    steps: list[Step],
    new: NewRun,
    root: Path,
    invoke: Invoke,
    *,
    process_per_step: bool,
) -> Path:
    """Run the steps whose results are not there yet; return the folder of the run."""
    committed = provenance.is_committed(root)
    folders = {step.name: new.folder / step.name for step in steps}
    finished: set[str] = set()
    sources: set[Path] = set()
    with terminal.progress(pipeline.name, len(steps)) as advance:
        for number, step in enumerate(steps, 1):
            values = _values(step, pipeline, folders)
            key = _hash_inputs(step, values, root)
            finished.add(step.name)
            earlier = _find_result(step, new, key, root, committed=committed)
            if earlier is not None:
                new.take(earlier)
                sources.add(earlier.parent)
                terminal.log(f"{pipeline.name}: {step.name} unchanged")
            else:
                advance(0, f"{pipeline.name}: {step.name}")
                if not terminal.console.is_terminal:  # there, the bar says it
                    place = f"step {number} of {len(steps)}"
                    terminal.log(f"{pipeline.name}: {step.name} started, {place}")
                sources.add(new.folder)
                record = {"key": key, "committed": committed}
                here = pipeline.name if new.home.is_relative_to(root) else "reproduce"
                try:
                    with journal.recorded(root, here, new.name, step.name) as seconds:
                        _execute(
                            step,
                            values,
                            new,
                            record,
                            root=root,
                            invoke=invoke,
                            apart=process_per_step,
                        )
                except GateError:
                    new.end(finished, passed=False)
                    raise
                terminal.log(f"{pipeline.name}: {step.name} {seconds():.1f} s")
            advance(1)
    last = latest(new.home)
    if last is not None and sources == {last}:
        new.discard()  # it is the same run
        return last
    return new.end(finished, passed=True)


def _find_result(step: Step, new: NewRun, key: str, root: Path, *, committed: bool) -> Path | None:
    """The folder of an earlier result that is still good."""
    if not step.deterministic:
        return None
    return next(
        (
            folder
            for folder in new.earlier(step.name)
            if _is_up_to_date(folder, step, key, root, committed=committed)
        ),
        None,
    )


def _require_paths(inputs: Mapping[str, Any], where: str) -> None:
    for name, value in inputs.items():
        if isinstance(value, Path) and not value.exists():
            raise UsageError(f"{where}.{name}`: there is no {value}.")


def _values(step: Step, pipeline: Pipeline, folders: dict[str, Path]) -> dict[str, Any]:
    """The value of each input that has one: a literal, or the path of a file or folder."""
    values: dict[str, Any] = {}
    for name, port in step.inputs.items():
        bound = step.bindings[name] if name in step.bindings else default_of(port)
        if isinstance(bound, FromPipeline):
            bound = pipeline.inputs[bound.name]
            bound = None if bound == "" else bound  # azure-ai-ml sends no empty input of a pipeline
        elif isinstance(bound, FromStep):
            bound = folders[bound.step] / bound.output
        if bound is None and port.optional:
            continue
        if bound is None:
            binding = step.bindings.get(name)
            where = f"{pipeline.source}, field `jobs.{step.name}.inputs.{name}`"
            if isinstance(binding, FromPipeline):
                raise UsageError(
                    f"{where}: has no value. Give one: `--input {binding.name}=VALUE`."
                )
            raise UsageError(f"{where}: has no value. Write one.")
        if (port.type in PATHS) != isinstance(bound, Path) and port.type != "any":
            raise UsageError(
                f"{pipeline.source}, field `jobs.{step.name}.inputs.{name}`: {port.type} expected, "
                f"got {bound!r}."
            )
        values[name] = bound
    return values


def _execute(
    step: Step,
    values: Mapping[str, Any],
    new: NewRun,
    sources: Mapping[str, Any],
    *,
    root: Path,
    invoke: Invoke,
    apart: bool,
) -> None:
    """Run a step, here or `apart`, in a process of its own."""
    gate_error: GateError | None = None
    with atomic_folder(new.folder / step.name) as scratch:
        for name, port in step.outputs.items():
            if port.type != "uri_file":
                (scratch / name).mkdir()
        command = build_command(step, values, scratch)
        is_platform = command[:3] == ["python", "-m", "mlops_platform"]
        try:
            if is_platform and not apart:
                with _temporary_environment(step.environment):
                    invoke(command[3:])
            else:
                _run_in_subprocess(command, step, is_platform=is_platform)
        except GateError as error:
            gate_error = error
        for name in step.outputs:
            if gate_error is None and not (scratch / name).exists():
                raise UsageError(
                    f"{step.source}, field `outputs.{name}`: the command of '{step.name}' "
                    "succeeded, but did not write it."
                )
        final = {name: _published(value, new) for name, value in values.items()}
        shown_command = build_command(step, final, new.final / step.name)
        has_store = default_store(root).is_file()
        record = {
            **sources,
            "stored": has_store,
            "passed": gate_error is None,
            "command": shown_command,
        }
        write_text(scratch / "step.json", json.dumps(record, indent=2) + "\n")
    if gate_error is not None:
        raise gate_error


def _published(value: Any, new: NewRun) -> Any:
    """The value, a path of this run as it will be when the run has ended."""
    if isinstance(value, Path) and value.is_relative_to(new.folder):
        return new.final / value.relative_to(new.folder)
    return value


def _run_in_subprocess(command: list[str], step: Step, *, is_platform: bool) -> None:
    """Run the command where its code lies, as Azure ML does.

    Exit code 1 means a failed gate only for the platform's commands: others may have crashed.
    """
    if command[0] == "python":
        command = [sys.executable, *command[1:]]
    try:
        process = subprocess.run(
            command,
            cwd=step.code,
            env={**os.environ, **PYTHON_UTF8, **step.environment},
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"{step.source}, field `command`: {command[0]}: {error}.") from None
    output = process.stderr.strip()
    if process.returncode == 1 and is_platform:
        raise GateError(output.rpartition("FAILED  ")[2] or "a gate failed")
    if process.returncode != 0:
        _, told, message = output.rpartition("ERROR  ")
        if not told:
            message = output.rpartition("\n")[2] or f"ended with exit code {process.returncode}"
        raise CodeError(f"step '{step.name}': {message}", output)
    if output:
        terminal.log(output)


@contextmanager
def _temporary_environment(variables: Mapping[str, str]) -> Iterator[None]:
    original = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(original)


def _is_up_to_date(folder: Path, step: Step, key: str, root: Path, *, committed: bool) -> bool:
    if not all((folder / name).exists() for name in step.outputs):
        return False
    try:
        record = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(record, dict) or (committed and record.get("committed") is not True):
        return False
    if (
        record.get("stored") and not default_store(root).is_file()
    ):  # its run was lost with the store
        return False
    return record.get("passed") is True and record.get("key") == key


def _hash_inputs(step: Step, values: Mapping[str, Any], root: Path) -> str:
    """Hash everything that the outputs depend on."""
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
        parts.append(f"{name}={hash_path(value) if isinstance(value, Path) else to_text(value)}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
