"""Measures of auditability: unchanged evidence, known sources, reproducible predictions."""

from __future__ import annotations

import numpy as np

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, exact_value, first_few
from mlops_platform.models import contents
from mlops_platform.steps.evaluate import hash_predictions

SOURCES = ("git_commit", "code_hash", "conf_hash", "lock_hash", "data_hash", "test_hash", "seed")


def _changed_evidence(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Hashes that differ: a file was changed after the run, or files are of different runs."""
    split, evaluation = run.split, run.evaluation
    pairs: dict[str, tuple[object, object]] = {
        **{name: (run.files[name], split.hashes[part]) for part, name in run.part_names.items()},
        "the raw data": (run.validation.data_hash, split.data_hash),
        "the raw data of the run": (run.tags.get("data_hash"), split.data_hash),
        "the test set of evaluation.json": (evaluation.test_hash, split.hashes["test"]),
        "the run of evaluation.json": (evaluation.run_id, run.training.run_id),
        "the predictions": (_predictions_hash(run), evaluation.predictions_hash),
        "the predictions of the run": (
            run.tags.get("predictions_hash"),
            evaluation.predictions_hash,
        ),
    }
    if run.comparison is not None:
        pairs["the test set of comparison.json"] = (run.comparison.test_hash, evaluation.test_hash)
    for measure in evaluation.measures:
        recorded = run.recorded_metrics.get(f"test_{measure.name}")
        pairs[f"{measure.name} of the run"] = (recorded, measure.value)
    changed = [name for name, (one, other) in pairs.items() if one != other]
    return exact_value(len(changed), len(pairs), ", ".join(changed) or "hashes of the run")


def _predictions_hash(run: EvaluatedRun) -> str:
    return hash_predictions(run.predict(run.parts["test"]))


def _unknown_sources(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Sources that the tracked run does not name: commit, code, settings, data, packages."""
    unknown = [name for name in SOURCES if run.tags.get(name, "unknown") == "unknown"]
    if run.tags.get("git_dirty", "unknown") != "false":
        unknown.append("git_dirty (files differed from the commit)")
    return exact_value(len(unknown), len(SOURCES) + 1, ", ".join(unknown) or "sources of the model")


def _refit_difference(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Largest difference of predictions after a refit on the same rows with the same seed."""
    refitted = run.predict(run.rows, run.refit(run.training.seed))
    difference = float(np.abs(refitted - run.predicted).max())
    return exact_value(difference, len(run.rows), "largest difference of predictions")


def _unsafe_files(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Types, functions and files in the model's folder that can run code when they are loaded."""
    files = sum(1 for path in run.folder.rglob("*") if path.is_file())
    unsafe = contents.find_unsafe(run.folder, run.team)
    return exact_value(len(unsafe), files, first_few(unsafe) or "files of the model")


MEASURES = [
    Measure(
        "changed_evidence",
        _changed_evidence,
        "Delete outputs/train and run `uv run poe pipeline`; do not edit evidence",
    ),
    Measure(
        "unknown_sources",
        _unknown_sources,
        "Commit all changes, including uv.lock, and run `uv run poe pipeline`",
    ),
    Measure(
        "refit_difference",
        _refit_difference,
        "Pass the seed to everything random in features.py and model.py",
    ),
    Measure(
        "unsafe_files",
        _unsafe_files,
        "Delete outputs/train and run `uv run poe pipeline`, which saves models with skops",
    ),
]
