"""Do the safeguards work: the monitor's alarm, the way back, the guard at the door?

Each is rehearsed: a fault is planted, and the standard's own code must answer it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import yaml

from mlops_platform import evidence
from mlops_platform.core.files import write_text
from mlops_platform.core.paths import root_of, store_in
from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, counted, nothing
from mlops_platform.monitoring import drift
from mlops_platform.monitoring.reference import Reference
from mlops_platform.serving.requests import Refused, Requests
from mlops_platform.settings import load_project
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry

SHIFT = 2  # standard deviations
STORE = "MLFLOW_TRACKING_URI"


def _alarms(case: Case, _: Metric) -> Value:
    """The share of replays that the drift monitor judges rightly.

    A number moves by two standard deviations, a category becomes the value that was rarest: the
    monitor must name the feature. The training rows themselves must be found stable.
    """
    reference = evidence.read(Reference, case.folder / "reference.json")
    quiet = case.parts["train"][case.contract.features]
    rows = case.rows[case.contract.features]
    if len(rows) < case.gates.drift.min_rows:
        return nothing(len(rows), "fewer rows than `drift.min_rows` in conf/gates.yml")
    replay = {name: rows.assign(**{name: _shifted(rows[name])}) for name in _watched(reference)}
    wrong = [name for name, moved in replay.items() if name not in _drifted(case, moved, reference)]
    if _drifted(case, quiet, reference) & set(replay):
        wrong.append("(training rows)")
    about = f"no right verdict on {', '.join(wrong)}" if wrong else "replayed shifts"
    return counted(1 - len(wrong) / (len(replay) + 1), len(rows), about)


def _watched(reference: Reference) -> list[str]:
    return [then.name for then in reference.features]


def _shifted(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return values + SHIFT * (float(values.std()) or 1.0)
    rarest = values.value_counts()
    return values.map(lambda _: rarest.index[-1] if len(rarest) > 1 else "(a new value)")


def _drifted(case: Case, rows: pd.DataFrame, reference: Reference) -> set[str]:
    report = drift.compare(
        rows,
        case.predict(rows),
        reference,
        contract=case.contract,
        limits=case.gates.drift,
        model=case.project.name,
        version="rehearsal",
    )
    return {column.column for column in report.columns if column.drifted}


def _rollback(case: Case, _: Metric) -> Value:
    """Whether the way back leads back: rehearsed with the registry's own code, in a scratch store.

    Two versions are made champion in turn, and the second is rolled back.
    """
    with _scratch_store(case.conf) as conf:
        registry = Registry(conf)
        for name in ("first", "second"):
            run_id = experiments.start(conf, name=name, tags={})
            registry.register(run_id, "challenger", {}, "a rehearsal")
            registry.promote(None, "a rehearsal", "mlops ethics")
        registry.rollback("a rehearsal", "mlops ethics")
        roles = [version.role for version in registry.versions()]
    right = roles == ["champion", "rolled_back"]
    return counted(float(right), len(roles), f"roles after it: {', '.join(roles)}")


@contextmanager
def _scratch_store(conf: Path) -> Iterator[Path]:
    """Settings of a model that nobody has, in a SQLite file of its own, whatever store is named."""
    named = os.environ.pop(STORE, None)
    try:
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder) / "conf"
            scratch.mkdir()
            project = load_project(conf).model_copy(update={"name": "rehearsal"})
            write_text(scratch / "project.yml", yaml.safe_dump(project.model_dump()))
            store, rehearsed = store_in(root_of(conf)), store_in(Path(folder))
            if store.is_file():  # its empty tables would take seconds to make
                rehearsed.parent.mkdir()
                shutil.copy(store, rehearsed)
            yield scratch
    finally:
        if named is not None:
            os.environ[STORE] = named


def _refused(case: Case, _: Metric) -> Value:
    """The share of unsupported requests that the contract refuses; 0 where it refuses all.

    For each feature a value of another kind, outside its range, or not among its values; none
    where there must be one; and a field that nobody knows.
    """
    requests = Requests(case.contract)
    sound = requests.example()
    planted = [{**sound, "an unknown field": 1}]
    for name in case.contract.features:
        column = case.contract.columns[name]
        planted.append({**sound, name: {"not": "a value"}})
        for bound, outside in ((column.max, 1), (column.min, -1)):
            if isinstance(bound, int | float):
                planted.append({**sound, name: bound + outside})
        planted += [{**sound, name: "(no such value)"}] if column.values else []
        planted += [] if column.missing else [{**sound, name: None}]
    if not _is_refused(requests, sound):
        caught = sum(_is_refused(requests, row) for row in planted)
        return counted(caught / len(planted), len(planted), f"{caught} of {len(planted)} refused")
    return counted(0, len(planted), "a sound request is refused, too")


def _is_refused(requests: Requests, row: dict) -> bool:
    try:
        requests.read(json.dumps({"rows": [row]}).encode())
    except Refused:
        return True
    return False


MEASURES = [
    Measure(
        "alarms_raised",
        _alarms,
        "Set `drift` in conf/gates.yml so that the shift is seen and the training rows are quiet",
    ),
    Measure(
        "rollback_rehearsed",
        _rollback,
        "The standard's files were changed: `uv run poe template-check` says which",
    ),
    Measure(
        "requests_refused",
        _refused,
        "Write ranges, values and `missing` of each feature into conf/data.yml",
    ),
]
