"""Reads the evidence of a run and finds the step at which it stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mlops_platform import evidence
from mlops_platform.evidence import Verdict
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.pipelines.outputs import newest
from mlops_platform.tracking.roles import Version


@dataclass(frozen=True)
class Run:
    """The evidence of a run; None for files that no step wrote.

    `version` is the registered version as it is now; `note` says why that is not known.
    """

    validation: evidence.Validation | None = None
    split: evidence.Split | None = None
    training: evidence.Training | None = None
    evaluation: evidence.Evaluation | None = None
    comparison: evidence.Comparison | None = None
    registration: evidence.Registration | None = None
    drift: evidence.DriftReport | None = None
    truth: evidence.TruthReport | None = None
    ethics: Ethics | None = None
    version: Version | None = None
    note: str = ""

    @property
    def role(self) -> str:
        """The role of the version, now or else when it was registered; empty without one."""
        known = self.version or self.registration
        return known.role if known else ""

    @property
    def footprint(self) -> evidence.Footprint | None:
        """The footprint of the model, as it was compared."""
        return next(iter(self.comparison.footprints), None) if self.comparison else None


@dataclass(frozen=True)
class Stop:
    """The step at which the run stopped, and the reasons."""

    step: str
    reasons: list[str]


SHAPES: dict[str, type[evidence.Part]] = {**evidence.SHAPES, "ethics": Ethics}
EVIDENCE = [field.name for field in fields(Run) if field.name in SHAPES]
OTHERS = ("monitor", "truth")  # pipelines beside the training whose evidence the report shows
STEPS = {
    "validate": "validation",
    "prepare": "split",
    "train": "training",
    "evaluate": "evaluation",
    "compare": "comparison",
    "register": "registration",
}


def read_folders(folders: Iterable[Path]) -> Run:
    """Read the evidence files in these folders.

    Raises:
        UsageError: a file does not have the shape of its name.
    """
    files: dict[str, Any] = {
        name: evidence.read(SHAPES[name], folder / f"{name}.json")
        for folder in folders
        for name in EVIDENCE
        if (folder / f"{name}.json").is_file()
    }
    return Run(**files)


def read_outputs(outputs: Path, train: Path | None = None) -> Run:
    """Read the evidence of the last runs in `outputs/`, also of one that a gate stopped.

    `train` is the folder of another run of the training pipeline.
    """
    runs = (train or newest(outputs / "train"), *map(newest, map(outputs.joinpath, OTHERS)))
    folders = [
        folder
        for run in runs
        if run is not None
        for each in ("*/evidence", "prepare/data")
        for folder in sorted(run.glob(each))
    ]
    run = read_folders([*folders, outputs / "ethics"])
    if run.ethics and run.training and run.ethics.run_id != run.training.run_id:
        return replace(run, ethics=None)  # it belongs to an earlier run
    return run


def is_empty(run: Run) -> bool:
    """Whether there is no evidence at all."""
    return all(getattr(run, name) is None for name in EVIDENCE)


def find_stop(run: Run) -> Stop | None:
    """Find the step at which the training pipeline stopped; None if finished or not started."""
    absent = [step for step, name in STEPS.items() if getattr(run, name) is None]
    if not absent or len(absent) == len(STEPS):
        return None
    last = list(STEPS)[max(list(STEPS).index(absent[0]) - 1, 0)]
    reasons = _gate_failures(run, last)
    if reasons:
        return Stop(last, reasons)
    return Stop(absent[0], ["it failed or was interrupted; run it again to see the error"])


def _gate_failures(run: Run, step: str) -> list[str]:
    """The messages of the failed gates of a step."""
    if step == "validate" and run.validation:
        return [f"{finding.column}: {finding.message}" for finding in run.validation.findings]
    if step == "train" and run.training and run.training.outcome != "trained":
        training = run.training
        return [
            f"on the validation set {training.metric} is {training.value:.4f}, "
            f"a constant baseline has {training.baseline:.4f}"
        ]
    if step == "evaluate" and run.evaluation:
        return [
            verdict.message
            for verdict in run.evaluation.verdicts
            if verdict.blocks and not verdict.passed
        ]
    return []


def verdicts(run: Run) -> list[Verdict]:
    """The verdicts of all gates, in the order of the steps."""
    collected: list[Verdict] = []
    if run.validation:
        violations = len(run.validation.findings)
        collected.append(
            Verdict(
                gate="data contract",
                passed=not violations,
                blocks=True,
                value=violations,
                limit="at most 0",
                message=f"violated rules of `conf/data.yml`: {violations}"
                if violations
                else "the data satisfies all rules of `conf/data.yml`",
            )
        )
    if run.training:
        training = run.training
        collected.append(
            Verdict(
                gate="better than a constant",
                passed=training.outcome == "trained",
                blocks=True,
                value=training.value,
                limit=f"better than {training.baseline:.4g}",
                message=f"{training.metric} on the validation set is {training.value:.4f}, "
                f"a constant baseline has {training.baseline:.4f}",
            )
        )
        collected += [
            Verdict(
                gate="suspicion: training",
                passed=False,
                blocks=False,
                value=None,
                limit="none",
                message=finding,
            )
            for finding in training.findings
        ]
    collected += run.evaluation.verdicts if run.evaluation else []
    if run.comparison:
        collected += run.comparison.verdicts
        collected.append(
            Verdict(
                gate="champion and challenger",
                passed=run.comparison.decision == "accepted",
                blocks=True,
                value=run.comparison.difference,
                limit=f"better by {run.comparison.margin:g}",
                message=run.comparison.reason,
            )
        )
    return collected
