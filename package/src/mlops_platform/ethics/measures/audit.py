"""Can somebody else find out, later, what the model was made from, and make it again?"""

from __future__ import annotations

import numpy as np

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, counted
from mlops_platform.steps.evaluate import hash_predictions

SOURCES = ("git_commit", "code_hash", "conf_hash", "lock_hash", "data_hash", "test_hash", "seed")
UNSAFE = {".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pt", ".pth"}


def _changed_evidence(case: Case, _: Metric) -> Value:
    """Hashes that do not agree: files changed after the run, or files of different runs."""
    split, seen = case.split, case.evaluation
    pairs: dict[str, tuple[object, object]] = {
        **{f"{part}.csv": (case.files[f"{part}.csv"], split.hashes[part]) for part in split.rows},
        "the raw data": (case.validation.data_hash, split.data_hash),
        "the raw data of the run": (case.tags.get("data_hash"), split.data_hash),
        "the test set of evaluation.json": (seen.test_hash, split.hashes["test"]),
        "the run of evaluation.json": (seen.run_id, case.training.run_id),
        "the predictions": (_predictions_hash(case), seen.predictions_hash),
        "the predictions of the run": (case.tags.get("predictions_hash"), seen.predictions_hash),
    }
    if case.comparison is not None:
        pairs["the test set of comparison.json"] = (case.comparison.test_hash, seen.test_hash)
    for measure in seen.measures:
        recorded = case.recorded_metrics.get(f"test_{measure.name}")
        pairs[f"{measure.name} of the run"] = (recorded, measure.value)
    changed = [name for name, (one, other) in pairs.items() if one != other]
    return counted(len(changed), len(pairs), ", ".join(changed) or "hashes of the run")


def _predictions_hash(case: Case) -> str:
    return hash_predictions(case.predict(case.parts["test"]))


def _unknown_sources(case: Case, _: Metric) -> Value:
    """What the run's record does not say of its making: commit, code, settings, data, packages."""
    unknown = [name for name in SOURCES if case.tags.get(name, "unknown") == "unknown"]
    if case.tags.get("git_dirty", "unknown") != "false":
        unknown.append("git_dirty (files differed from the commit)")
    return counted(len(unknown), len(SOURCES) + 1, ", ".join(unknown) or "sources of the model")


def _refit_difference(case: Case, _: Metric) -> Value:
    """Largest difference of predictions when the model is fitted again, from the same rows."""
    again = case.predict(case.rows, case.refit(case.training.seed))
    distance = float(np.abs(again - case.predicted).max())
    return counted(distance, len(case.rows), "of predictions, made again")


def _unsafe_files(case: Case, _: Metric) -> Value:
    """Files in the model's folder that run code when they are loaded."""
    files = [path for path in case.folder.rglob("*") if path.is_file()]
    unsafe = sorted(path.name for path in files if path.suffix.lower() in UNSAFE)
    return counted(len(unsafe), len(files), ", ".join(unsafe) or "files of the model")


MEASURES = [
    Measure(
        "changed_evidence",
        _changed_evidence,
        "Delete outputs/train and run `uv run poe pipeline`: evidence is never edited",
    ),
    Measure(
        "unknown_sources",
        _unknown_sources,
        "Commit all of your work, uv.lock too, and run `uv run poe pipeline`",
    ),
    Measure(
        "refit_difference",
        _refit_difference,
        "Pass the seed to everything in features.py and model.py that draws",
    ),
    Measure(
        "unsafe_files",
        _unsafe_files,
        "Delete outputs/train and run `uv run poe pipeline`: models are kept with skops",
    ),
]
