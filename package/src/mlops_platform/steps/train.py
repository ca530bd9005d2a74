"""Fits the team's pipeline; fails if it is no better than a constant baseline."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import write_text
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evaluation import metrics
from mlops_platform.models import artifact, dataset, team, used
from mlops_platform.monitoring import reference
from mlops_platform.tracking import experiments, provenance
from mlops_platform.tracking.registry import Registry

ROUNDING = 1e-9
FOLDS = 5


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
    split = evidence.read(evidence.Split, data / "split.json")
    fit_rows = dataset.read_part(data, "train", contract)
    check_rows = dataset.read_part(data, "validation", contract)
    code = team.load_team(conf)
    pipeline = _unfitted(code, contract, train)
    artifact.require_savable(pipeline, code)
    used.require_used(pipeline["features"], contract, code)  # again when it is fitted
    made_from = provenance.collect(conf, code.folder)
    kind = "experiment" if Registry(conf).holder("champion") else "baseline"
    started = datetime.now(UTC).isoformat(timespec="seconds")
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
            unseen = _predict_unseen(code, fit_rows, contract, train)

        constant = dataset.fit_baseline(fit_rows, contract)
        expected = dataset.encode_target(check_rows, contract)
        value, baseline = (
            metric.compute(
                expected,
                dataset.predict(fitted, check_rows[contract.features], contract.labels),
            )
            for fitted in (pipeline, constant)
        )
        if not np.isfinite(value):
            raise UsageError(
                f"{metric.name} is not defined on the {len(check_rows)} rows of the validation "
                "set: it needs more than one class or value. Make the set larger in "
                f"{conf / 'train.yml'}, field `split`."
            )
        better = metric.gain(value, baseline) > ROUNDING * abs(baseline)
        training = evidence.Training(
            run_id=run_id,
            began=started,
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
        )
        evidence.write(training, out / "training.json")
        experiments.record(
            conf,
            run_id,
            parameters={**train.parameters, "seed": train.seed},
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
                "conf/data.yml, and at src/*/features.py and model.py."
            )
        card = artifact.Card(
            run_id=run_id, task=project.task, labels=contract.labels, features=contract.features
        )
        artifact.save(pipeline, model, code, card=card, contract=conf / "data.yml")
        described = reference.build_reference(fit_rows, unseen, contract)
        write_text(model / "reference.json", described.model_dump_json() + "\n")
        experiments.upload(conf, run_id, model, "model")
        ok = True
    except UsageError as error:
        experiments.record(conf, run_id, tags={"outcome": "failed", "outcome_why": str(error)})
        raise
    finally:
        experiments.finish(conf, run_id, ok=ok)


def _unfitted(code: team.Team, contract: Contract, train: settings.Train) -> Pipeline:
    return Pipeline(
        [
            ("features", code.build_features(contract)),
            ("model", code.build_model(dict(train.parameters), train.seed)),
        ]
    )


def _predict_unseen(
    code: team.Team, rows: pd.DataFrame, contract: Contract, train: settings.Train
) -> np.ndarray:
    """Out-of-fold predictions for the training rows, by 5-fold cross-validation.

    They are the reference for drift. A model is overconfident on the rows that it was fitted on:
    compared with those predictions, a forest would drift on its first day.
    """
    folds = np.random.default_rng(train.seed).permutation(len(rows)) % FOLDS
    predicted = np.zeros((len(rows), len(contract.labels)) if contract.labels else len(rows))
    for fold in range(FOLDS):
        learned, unseen = rows[folds != fold], rows[folds == fold]
        fitted = _unfitted(code, contract, train)
        dataset.fit(fitted, learned, contract)
        predicted[folds == fold] = dataset.predict(
            fitted, unseen[contract.features], contract.labels
        )
    return predicted


@contextmanager
def time_budget(seconds: float, source: Path) -> Iterator[None]:
    """Interrupt the block after this many seconds of wall time.

    Raises:
        UsageError: the time has expired.
    """
    # A shell starts background jobs with interrupts ignored; this process would inherit that.
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    expired, main_thread = threading.Event(), threading.get_ident()

    def interrupt() -> None:
        expired.set()
        if hasattr(signal, "pthread_kill"):  # also wakes a fit that waits for its workers
            signal.pthread_kill(main_thread, signal.SIGINT)
        else:
            _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not expired.is_set():
            raise
        raise UsageError(
            f"{source}, field `time_budget_seconds`: the fit took longer than {seconds:g} s and "
            "was stopped. Give it more time, less data or a smaller model."
        ) from None
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, previous_handler)
