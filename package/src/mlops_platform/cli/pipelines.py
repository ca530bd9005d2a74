"""Runs a pipeline on this machine, after a check of the settings that its steps will read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from mlops_platform import evidence, settings
from mlops_platform.cli.app import CONF, invoke
from mlops_platform.core.errors import CodeError, GateError, UsageError
from mlops_platform.data.contract import load_contract, require_split
from mlops_platform.evaluation import metrics, threshold
from mlops_platform.events import local
from mlops_platform.pipelines import FromPipeline, Pipeline, load, outputs, runner, split_command
from mlops_platform.report import card
from mlops_platform.truth import config

Check = Callable[[Path], object]
File = Literal["project", "train", "gates", "data", "model_card", "stage", "truth"]


def _gates(conf: Path) -> None:
    metrics.primary_metric(settings.load_gates(conf), settings.load_project(conf).task, conf)


def _train(conf: Path) -> None:
    """Check conf/train.yml, and that split and threshold fit the contract, if it can be read."""
    train = settings.load_train(conf)
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    require_split(train.split, contract, conf / "train.yml")
    if train.threshold is not None:
        threshold.require_fitting(train, contract, conf)


CHECKS: dict[File, Check] = {
    "project": settings.load_project,
    "train": _train,
    "gates": _gates,
    "data": lambda conf: load_contract(conf / "data.yml", settings.load_project(conf).task),
    "model_card": card.load_fields,
    "stage": settings.load_decisions,
    "truth": config.load,
}
# What the steps read in addition to project.yml, by command.
READ_BY: dict[str, set[File]] = {
    "validate": {"data"},
    "mask": {"data"},
    "prepare": {"data", "train"},
    "train": {"data", "train", "gates"},
    "evaluate": {"data", "train", "gates"},
    "compare": {"data", "train", "gates"},
    "drift": {"gates"},
    "score": {"truth"},
    "judge": {"data", "gates", "train", "truth"},
    "tables": {"data"},
    "page": {"data", "gates", "model_card", "stage"},
}


def run(
    path: Path, inputs: Mapping[str, str], *, process_per_step: bool = False
) -> dict[str, Path]:
    """Run a pipeline of this folder; return the folder of each step.

    Raises:
        UsageError: settings, pipeline or step are wrong. Wrong settings stop before any step.
        GateError: a step's gate failed.
    """
    pipeline = load(path, inputs)
    require_settings(pipeline)
    try:
        folders = runner.run(
            path,
            root=Path.cwd(),
            invoke=invoke,
            overrides=inputs,
            process_per_step=process_per_step,
        )
    except (GateError, CodeError) as error:
        _tell_failed(pipeline, error)
        raise
    _tell_registered(pipeline, folders)
    return folders


def _tell_failed(pipeline: Pipeline, error: Exception) -> None:
    """Leave an event: a run that failed, and what it found if it is a monitor."""
    gate = isinstance(error, GateError)
    last = outputs.newest(Path("outputs", pipeline.name)) if gate else None
    found = gate and pipeline.name in local.BREACHING
    local.failed(
        Path.cwd(),
        settings.load_project(CONF).name,
        pipeline.name,
        last.name if last else outputs.UNFINISHED,
        finding=str(error).splitlines()[0].rstrip(":") if found else "",
    )


def _tell_registered(pipeline: Pipeline, folders: Mapping[str, Path]) -> None:
    """Leave an event if there is a new version."""
    found = folders.get("register", Path()) / "evidence" / "registration.json"
    if found.is_file() and (made := evidence.read(evidence.Registration, found)).new:
        local.registered(Path.cwd(), made.model, made.version, made.run_id)


def require_settings(pipeline: Pipeline) -> None:
    """Check the settings that the pipeline's steps will read.

    Raises:
        UsageError: all problems, one a line.
    """
    problems: dict[str, None] = {}
    for step in pipeline.steps:
        bound = step.bindings.get("conf")
        conf = pipeline.inputs.get(bound.name) if isinstance(bound, FromPipeline) else bound
        command = split_command(step.command)
        if isinstance(conf, Path) and command[:3] == ["python", "-m", "mlops_platform"]:
            files = {"project", *READ_BY.get(command[3], set())}
            shown = conf.relative_to(Path.cwd()) if conf.is_relative_to(Path.cwd()) else conf
            checks = [check for name, check in CHECKS.items() if name in files]
            problems |= dict.fromkeys(find_problems(shown, checks))
    if problems:
        raise UsageError("\n".join(problems))


def find_problems(conf: Path, checks: Iterable[Check]) -> list[str]:
    """Return one line for each problem that the checks find, each problem once."""
    problems: list[str] = []
    for check in checks:
        try:
            check(conf)
        except UsageError as error:
            problems += str(error).splitlines()
    return list(dict.fromkeys(problems))
