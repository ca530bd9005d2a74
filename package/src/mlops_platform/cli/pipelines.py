"""Runs a pipeline on this machine, after a check of the settings that its steps will read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from mlops_platform import settings
from mlops_platform.cli.app import invoke
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract, require_split
from mlops_platform.evaluation import metrics, threshold
from mlops_platform.pipelines import FromPipeline, Pipeline, load, runner, split_command
from mlops_platform.report import card
from mlops_platform.truth import config

Check = Callable[[Path], object]
File = Literal["project", "train", "gates", "data", "model_card", "truth"]


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
    "page": {"data", "gates", "model_card"},
}


def run(
    path: Path, inputs: Mapping[str, str], *, process_per_step: bool = False
) -> dict[str, Path]:
    """Run a pipeline of this folder; return the folder of each step.

    Raises:
        UsageError: settings, pipeline or step are wrong. Wrong settings stop before any step.
        GateError: a step's gate failed.
    """
    require_settings(load(path, inputs))
    return runner.run(
        path,
        root=Path.cwd(),
        invoke=invoke,
        overrides=inputs,
        process_per_step=process_per_step,
    )


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
