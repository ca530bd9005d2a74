"""Measures of oversight: drift detection, rollback and request validation, each in a test run."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mlops_platform import evidence
from mlops_platform.core.files import write_text
from mlops_platform.core.paths import default_store, project_root
from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, exact_value, no_value
from mlops_platform.evaluation.perturbations import with_values
from mlops_platform.monitoring import drift
from mlops_platform.monitoring.reference import Reference
from mlops_platform.serving.requests import RequestError, Requests
from mlops_platform.settings import load_project
from mlops_platform.tracking import binding, experiments
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import MODEL_HASH

SHIFT = 2  # standard deviations
TRACKING_URI = "MLFLOW_TRACKING_URI"


def _alarms_raised(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The share of simulated shifts that the drift monitor detects.

    Numbers shift by two standard deviations, categories become the rarest value, texts become
    three times as long: the monitor must report the feature, unless it follows the time. For all
    rows that the version was made of it must report no drift.
    """
    reference = evidence.read(Reference, run.folder / "reference.json")
    training = pd.concat(list(run.parts.values()), ignore_index=True)[run.contract.features]
    rows = run.rows[run.contract.features]
    if len(rows) < run.gates.drift.min_rows:
        return no_value(len(rows), "fewer rows than `drift.min_rows` in conf/gates.yml")
    features = [feature.name for feature in reference.features if not feature.clock]
    texts = run.contract.text_features
    shifted = {
        name: with_values(rows, name, _longer(rows[name]) if name in texts else _shift(rows[name]))
        for name in features
    }
    wrong = [name for name, each in shifted.items() if name not in _drifted(run, each, reference)]
    if _drifted(run, training, reference) & set(features):
        wrong.append("(training rows)")
    description = f"wrong verdict for {', '.join(wrong)}" if wrong else "simulated shifts"
    return exact_value(1 - len(wrong) / (len(features) + 1), len(rows), description)


def _shift(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return values + SHIFT * (float(values.std()) or 1.0)
    counts = values.value_counts()
    return values.map(lambda _: counts.index[-1] if len(counts) > 1 else "(a new value)")


def _longer(texts: pd.Series) -> pd.Series:
    return texts.map(lambda text: f"{text} " * 3, na_action="ignore")


def _drifted(run: EvaluatedRun, rows: pd.DataFrame, reference: Reference) -> set[str]:
    report = drift.compare(
        rows,
        run.predict(rows),
        reference,
        contract=run.contract,
        limits=run.gates.drift,
        model=run.project.name,
        version="rehearsal",
    )
    return {column.column for column in report.columns if column.drifted}


def _rollback_rehearsed(run: EvaluatedRun, _: MetricCheck) -> Value:
    """1 if a rollback works with the registry's code, in a temporary store.

    Two versions are promoted one after the other, and the second is rolled back.
    """
    with _temporary_store(run.conf) as conf:
        registry = Registry(conf)
        for name in ("first", "second"):
            run_id = experiments.start(conf, name=name, tags={})
            experiments.upload(conf, run_id, conf, "model")  # any files will do
            bound = {MODEL_HASH: binding.hash_model(conf)}
            registry.register(run_id, "challenger", bound, "a rehearsal")
            registry.promote(None, "a rehearsal", "mlops ethics")
        registry.rollback("a rehearsal", "mlops ethics")
        roles = [version.role for version in registry.versions()]
    works = roles == ["champion", "rolled_back"]
    return exact_value(float(works), len(roles), f"roles after the rollback: {', '.join(roles)}")


@contextmanager
def _temporary_store(conf: Path) -> Iterator[Path]:
    """Settings of a temporary model with its own SQLite file, whatever store is configured."""
    configured = os.environ.pop(TRACKING_URI, None)
    try:
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder) / "conf"
            scratch.mkdir()
            project = load_project(conf).model_copy(update={"name": "rehearsal"})
            write_text(scratch / "project.yml", yaml.safe_dump(project.model_dump()))
            store, copy = default_store(project_root(conf)), default_store(Path(folder))
            if store.is_file():  # faster than creating its tables
                copy.parent.mkdir()
                shutil.copy(store, copy)
            yield scratch
    finally:
        if configured is not None:
            os.environ[TRACKING_URI] = configured


def _requests_refused(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The share of invalid requests that are rejected; 0 if a valid request is rejected too.

    For each requested column, a value of another kind, outside its range, not among its values, or
    missing;
    and an unknown field.
    """
    requests = Requests(run.contract)
    valid = requests.example()
    invalid = [{**valid, "an unknown field": 1}]
    for name in run.contract.requested:
        column = run.contract.columns[name]
        invalid.append({**valid, name: {"not": "a value"}})
        for bound, outside in ((column.max, 1), (column.min, -1)):
            if isinstance(bound, int | float):
                invalid.append({**valid, name: bound + outside})
        invalid += [{**valid, name: "(no such value)"}] if column.values else []
        invalid += [] if column.missing else [{**valid, name: None}]
    if not _is_refused(requests, valid):
        refused = sum(_is_refused(requests, row) for row in invalid)
        description = f"{refused} of {len(invalid)} refused"
        return exact_value(refused / len(invalid), len(invalid), description)
    return exact_value(0, len(invalid), "a valid request is refused, too")


def _is_refused(requests: Requests, row: dict[str, Any]) -> bool:
    try:
        requests.read(json.dumps({"rows": [row]}).encode())
    except RequestError:
        return True
    return False


MEASURES = [
    Measure(
        "alarms_raised",
        _alarms_raised,
        "Set `drift` in conf/gates.yml so that shifts are detected and training rows are stable",
    ),
    Measure(
        "rollback_rehearsed",
        _rollback_rehearsed,
        "Files of the template were changed: `uv run poe template-check` lists them",
    ),
    Measure(
        "requests_refused",
        _requests_refused,
        "Add ranges, values and `missing` of each feature to conf/data.yml",
    ),
]
