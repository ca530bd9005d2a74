"""Gathers a run's evidence and says how far the run came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mlops_platform import evidence
from mlops_platform.evidence import Verdict
from mlops_platform.evidence.ethics import Ethics

OUTPUTS = ("train/*/evidence", "train/prepare/data", "monitor/*/evidence", "ethics")


@dataclass(frozen=True)
class Run:
    """All evidence that was found; None for what no step wrote."""

    validation: evidence.Validation | None = None
    split: evidence.Split | None = None
    training: evidence.Training | None = None
    evaluation: evidence.Evaluation | None = None
    comparison: evidence.Comparison | None = None
    registration: evidence.Registration | None = None
    drift: evidence.DriftReport | None = None
    ethics: Ethics | None = None


@dataclass(frozen=True)
class Stop:
    """The step that the run did not get past, and why."""

    step: str
    why: list[str]


SHAPES: dict[str, type[evidence.Part]] = {**evidence.SHAPES, "ethics": Ethics}
STEPS = {
    "validate": "validation",
    "prepare": "split",
    "train": "training",
    "evaluate": "evaluation",
    "compare": "comparison",
    "register": "registration",
}


def from_folders(folders: Iterable[Path]) -> Run:
    """Read the evidence files that lie in these folders.

    Raises:
        UsageError: a file is not of the shape that its name says.
    """
    found: dict[str, Any] = {
        name: evidence.read(SHAPES[name], folder / f"{name}.json")
        for folder in folders
        for name in (field.name for field in fields(Run))
        if (folder / f"{name}.json").is_file()
    }
    return Run(**found)


def from_outputs(outputs: Path) -> Run:
    """Read what the latest runs of the pipelines left in `outputs/`."""
    found = from_folders(folder for each in OUTPUTS for folder in sorted(outputs.glob(each)))
    if found.ethics and found.training and found.ethics.run_id != found.training.run_id:
        return replace(found, ethics=None)  # it was said of an earlier run
    return found


def is_empty(run: Run) -> bool:
    """Whether no evidence was found at all."""
    return all(getattr(run, field.name) is None for field in fields(run))


def stop(run: Run) -> Stop | None:
    """Where the training pipeline stopped; None where it came to its end or never began."""
    absent = [step for step, name in STEPS.items() if getattr(run, name) is None]
    if not absent or len(absent) == len(STEPS):
        return None
    before = list(STEPS)[max(list(STEPS).index(absent[0]) - 1, 0)]
    why = _refusal(run, before)
    if why:
        return Stop(before, why)
    return Stop(absent[0], ["it ended with an error, or was interrupted; run it again to see why"])


def _refusal(run: Run, step: str) -> list[str]:
    """What the gate of a step had against going on."""
    if step == "validate" and run.validation:
        return [f"{found.column}: {found.message}" for found in run.validation.findings]
    if step == "train" and run.training and run.training.outcome != "trained":
        made = run.training
        return [
            f"on the validation set {made.metric} is {made.value:.4f}, "
            f"a constant has {made.baseline:.4f}"
        ]
    if step == "evaluate" and run.evaluation:
        return [
            verdict.message
            for verdict in run.evaluation.verdicts
            if verdict.blocks and not verdict.passed
        ]
    return []


def verdicts(run: Run) -> list[Verdict]:
    """All gates that spoke, in the order in which they did."""
    spoken: list[Verdict] = []
    if run.validation:
        broken = len(run.validation.findings)
        spoken.append(
            Verdict(
                gate="data contract",
                passed=not broken,
                blocks=True,
                value=broken,
                limit="at most 0",
                message=f"rules of `conf/data.yml` that are broken: {broken}"
                if broken
                else "all rules of `conf/data.yml` hold",
            )
        )
    if run.training:
        made = run.training
        spoken.append(
            Verdict(
                gate="better than a constant",
                passed=made.outcome == "trained",
                blocks=True,
                value=made.value,
                limit=f"better than {made.baseline:.4g}",
                message=f"{made.metric} on the validation set is {made.value:.4f}, "
                f"a constant baseline has {made.baseline:.4f}",
            )
        )
    spoken += run.evaluation.verdicts if run.evaluation else []
    if run.comparison:
        spoken += run.comparison.verdicts
        spoken.append(
            Verdict(
                gate="champion and challenger",
                passed=run.comparison.decision == "accepted",
                blocks=True,
                value=run.comparison.difference,
                limit=f"better by {run.comparison.margin:g}",
                message=run.comparison.reason,
            )
        )
    return spoken
