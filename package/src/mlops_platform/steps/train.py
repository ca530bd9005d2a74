"""Fits the team's pipeline; fails if it is no better than a constant baseline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mlops_platform import evidence, settings
from mlops_platform.core.budget import time_budget
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import write_text
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.data.decision import decide
from mlops_platform.data.typed_rows import PARTS
from mlops_platform.evaluation import metrics, suspicion, threshold
from mlops_platform.models import artifact, dataset, own_threshold, team, used
from mlops_platform.monitoring import reference
from mlops_platform.tracking import experiments, provenance
from mlops_platform.tracking.registry import Registry
from mlops_platform.truth import known

ROUNDING = 1e-9


def run(
    conf: Path,
    data: Path,
    model: Path,
    out: Path,
    trigger: str,
    *,
    overrides: Mapping[str, str] | None = None,
) -> None:
    """Write the model's folder `model` and `out/training.json`; record the run.

    A run is a `baseline` while there is no champion, and an `experiment` afterwards. `overrides`
    replace parameters of conf/train.yml, as a sweep does.

    Raises:
        UsageError: among others, a feature that no transformer of the team reads.
        GateError: on the validation set the model is no better than a constant baseline.
    """
    project = settings.load_project(conf)
    train = settings.load_train(conf).with_parameters(overrides or {})
    gates = settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    metric = metrics.primary_metric(gates, project.task, conf)
    threshold.require_fitting(train, contract, conf)
    split = evidence.read(evidence.Split, data / "split.json")
    fit_rows = dataset.read_part(data, "train", contract)
    check_rows = dataset.read_part(data, "validation", contract)
    code = team.load_team(conf)
    pipeline = _checked(code, contract, train)
    made_from = provenance.collect(conf, code.folder)
    kind = "experiment" if Registry(conf).holder("champion") else "baseline"
    started = datetime.now(UTC).replace(microsecond=0)
    run_id = experiments.start(
        conf,
        name=f"{kind}: {trigger}",
        tags={
            **made_from,
            "data_hash": split.data_hash,
            "test_hash": split.hashes["test"],
            "seed": str(train.seed),
            "stage": project.stage,
            "trigger": trigger,
            "kind": kind,
        },
    )
    ok = False
    try:
        start = time.perf_counter()
        with time_budget(train.time_budget_seconds, conf / "train.yml"):
            dataset.fit(pipeline, fit_rows, contract)
            used.require_used(pipeline["features"], contract, code)
            seconds = time.perf_counter() - start

        checked = _check(
            pipeline, fit_rows, check_rows, contract=contract, train=train, metric=metric
        )
        value, baseline, decision = checked.value, checked.baseline, checked.decision
        few = suspicion.few_rows(
            dataset.encode_target(fit_rows, contract),
            dataset.encode_target(check_rows, contract),
            contract.labels,
            gates.guardrails.min_group_rows,
        )
        advice = "".join(f" {each[0].upper()}{each[1:]}." for each in few)
        if not np.isfinite(value):
            raise UsageError(
                f"{metric.name} is not defined on the {len(check_rows)} rows of the validation "
                "set: it needs more than one class or value. Make the set larger in "
                f"{conf / 'train.yml'}, field `split`.{advice}"
            )
        better = metric.gain(value, baseline) > ROUNDING * abs(baseline)
        training = evidence.Training(
            run_id=run_id,
            began=started.isoformat(),
            trigger=trigger,
            git_commit=made_from["git_commit"],
            git_dirty=made_from["git_dirty"],
            outcome="trained" if better else "no_better_than_baseline",
            metric=metric.name,
            value=value,
            baseline=baseline,
            seconds=seconds,
            seed=train.seed,
            parameters=train.parameters,
            threshold=decision.threshold,
            threshold_from=decision.source if decision.parameters else "",
            findings=[*few, *checked.findings],
        )
        evidence.write(training, out / "training.json")
        experiments.record(
            conf,
            run_id,
            parameters={**train.parameters, "seed": train.seed, **decision.parameters},
            metrics={
                f"validation_{metric.name}": value,
                f"baseline_{metric.name}": baseline,
                "fit_seconds": seconds,
            },
            tags={"outcome": training.outcome},
        )
        if not better:
            raise GateError(
                f"training stopped: {metric.name} on the validation set is {value:.4f}, a constant "
                f"baseline has {baseline:.4f}. Look at the features and the target in "
                f"conf/data.yml, and at src/*/features.py and model.py.{advice}"
            )
        card = artifact.Card(
            run_id=run_id,
            task=project.task,
            labels=contract.labels,
            features=contract.features,
            threshold=decision.threshold,
            trained=started,
        )
        artifact.save(pipeline, model, code, card=card, contract=conf / "data.yml")
        described = _describe(pipeline, data, contract)
        write_text(model / "reference.json", described.model_dump_json() + "\n")
        experiments.upload(conf, run_id, model, "model")
        known.record(conf, run_id, data, contract)
        ok = True
    except UsageError as error:
        experiments.record(conf, run_id, tags={"outcome": "failed", "outcome_why": str(error)})
        raise
    finally:
        experiments.finish(conf, run_id, ok=ok)


class Sampled(NamedTuple):
    """What a fit on a sample of rows gave: numbers of rows, seconds, and the primary metric."""

    fitted: int
    checked: int
    seconds: float
    metric: str
    value: float
    baseline: float
    threshold: float | None
    findings: list[str]


def try_once(conf: Path, data: Path, rows: int, *, overrides: Mapping[str, str]) -> Sampled:
    """Fit the pipeline once, to at most `rows` rows; nothing is written, recorded or registered."""
    project, gates = settings.load_project(conf), settings.load_gates(conf)
    train = settings.load_train(conf).with_parameters(overrides)
    contract = load_contract(conf / "data.yml", project.task)
    metric = metrics.primary_metric(gates, project.task, conf)
    threshold.require_fitting(train, contract, conf)
    fit_rows = dataset.read_part(data, "train", contract)
    if len(fit_rows) > rows:
        fit_rows = fit_rows.sample(rows, random_state=train.seed).sort_index()
    check_rows = dataset.read_part(data, "validation", contract)
    code = team.load_team(conf)
    pipeline = _checked(code, contract, train)
    start = time.perf_counter()
    with time_budget(train.time_budget_seconds, conf / "train.yml"):
        dataset.fit(pipeline, fit_rows, contract)
    seconds = time.perf_counter() - start
    checked = _check(pipeline, fit_rows, check_rows, contract=contract, train=train, metric=metric)
    return Sampled(
        len(fit_rows),
        len(check_rows),
        seconds,
        metric.name,
        checked.value,
        checked.baseline,
        checked.decision.threshold,
        checked.findings,
    )


def _unfitted(code: team.Team, contract: Contract, train: settings.Train) -> Pipeline:
    return Pipeline(
        [
            ("features", code.build_features(contract)),
            ("model", code.build_model(dict(train.parameters), train.seed)),
        ]
    )


def _checked(code: team.Team, contract: Contract, train: settings.Train) -> Pipeline:
    """The unfitted pipeline, after a check of what can be known before the fit."""
    pipeline = _unfitted(code, contract, train)
    artifact.require_savable(pipeline, code)
    used.require_used(pipeline["features"], contract, code)  # again when it is fitted
    own_threshold.require_usable(pipeline[-1], code.path("model"), chosen=bool(train.threshold))
    return pipeline


class Decision(NamedTuple):
    """The threshold from which the positive class is decided, and how it was chosen."""

    threshold: float | None = None
    source: str = ""

    @property
    def parameters(self) -> dict[str, float]:
        """The parameter of the run that it is."""
        return {} if self.threshold is None else {"threshold": self.threshold}


class Checked(NamedTuple):
    """The metric on the validation set, of the model and of the constant baseline."""

    value: float
    baseline: float
    decision: Decision
    findings: list[str]


def _check(
    pipeline: Pipeline,
    fit_rows: pd.DataFrame,
    check_rows: pd.DataFrame,
    *,
    contract: Contract,
    train: settings.Train,
    metric: metrics.Metric,
) -> Checked:
    """Predict the validation set, and choose the threshold."""
    truth, rows = dataset.encode_target(check_rows, contract), check_rows[contract.features]
    predicted = dataset.predict(pipeline, rows, contract.labels)
    constant = dataset.predict(dataset.fit_baseline(fit_rows, contract), rows, contract.labels)
    decision = Decision(own_threshold.of_model(pipeline[-1]), "the model's own")
    if train.threshold is not None:
        chosen = threshold.choose(truth, predicted, train.threshold)
        decision = Decision(chosen, threshold.describe(train.threshold))
    return Checked(
        metric.at(decision.threshold).compute(truth, predicted),
        metric.compute(truth, constant),
        decision,
        _other_labels(pipeline, rows, predicted, decision),
    )


def _other_labels(
    pipeline: Pipeline, rows: pd.DataFrame, predicted: np.ndarray, decision: Decision
) -> list[str]:
    """A finding if `predict` of the model gives labels that are not the served ones."""
    if predicted.ndim == 1 or decision.threshold is not None:
        return []
    own = np.asarray(team.predict(pipeline, "predict", rows)).ravel()
    if differing := int((own != decide(predicted)).sum()):
        return [
            f"`predict` of {type(pipeline[-1]).__name__} differs from the most probable class on "
            f"{differing} of {len(rows)} rows of the validation set. Served is the most probable "
            "one; a threshold stands in `threshold` of conf/train.yml, or in scikit-learn's "
            "FixedThresholdClassifier"
        ]
    return []


def _describe(pipeline: Pipeline, data: Path, contract: Contract) -> reference.Reference:
    """The reference for drift, of all parts; the model has learned the training rows alone."""
    parts = {part: dataset.read_part(data, part, contract) for part in PARTS}
    rows = pd.concat(parts.values(), ignore_index=True)
    own = dataset.predict(pipeline, rows[contract.features], contract.labels)
    learned, unseen = np.split(own, [len(parts["train"])])
    return reference.build_reference(rows, unseen, contract, learned)
