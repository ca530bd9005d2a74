"""Fits the team's pipeline and stops early when a constant would do as well."""

from __future__ import annotations

import _thread
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline

from .. import artifact, dataset, evidence, metrics, reference, settings, team, tracking
from ..contract import load_contract
from ..errors import GateFailed, UsageError
from ..files import write_text


def run(conf: Path, data: Path, model: Path, out: Path, trigger: str) -> None:
    """Write the model's folder `model` and `out/training.json`; record the run.

    Raises:
        GateFailed: on the validation set the model is no better than a constant baseline.
    """
    project, train = settings.load_project(conf), settings.load_train(conf)
    gates = settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    metric = metrics.find(gates.metric, project.task, f"{conf / 'gates.yml'}, field `metric`")
    split = evidence.read(evidence.Split, data / "split.json")
    fit_rows = dataset.read_part(data, "train", contract)
    check_rows = dataset.read_part(data, "validation", contract)
    pipeline = Pipeline(
        [
            ("features", team.build_features(contract)),
            ("model", team.build_model(dict(train.parameters), train.seed)),
        ]
    )

    run_id = tracking.start(
        conf,
        name=f"{project.name} ({trigger})",
        tags={
            **tracking.provenance(conf, team.FOLDER),
            "data_hash": split.data_hash,
            "test_hash": split.hashes["test"],
            "seed": str(train.seed),
            "stage": project.stage,
            "trigger": trigger,
            "kind": "experiment",
        },
    )
    ok = False
    try:
        began = time.perf_counter()
        with time_budget(train.time_budget_seconds, conf / "train.yml"):
            team.fit(pipeline, fit_rows[contract.features], fit_rows[contract.target])
        seconds = time.perf_counter() - began

        constant = (
            DummyClassifier(strategy="prior")
            if contract.labels
            else DummyRegressor(strategy="mean")
        )
        constant.fit(fit_rows[contract.features], fit_rows[contract.target])
        expected = dataset.truth(check_rows, contract)
        value, baseline = (
            metric.compute(
                expected,
                dataset.predict(fitted, check_rows[contract.features], contract.labels),
            )
            for fitted in (pipeline, constant)
        )
        better = not math.isnan(value) and metric.gain(value, baseline) > 0
        training = evidence.Training(
            run_id=run_id,
            outcome="trained" if better else "no_better_than_baseline",
            metric=metric.name,
            value=value,
            baseline=baseline,
            seconds=seconds,
            seed=train.seed,
            parameters=train.parameters,
        )
        evidence.write(training, out / "training.json")
        tracking.record(
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
            raise GateFailed(
                f"training stopped: {metric.name} on the validation set is {value:.4f}, a constant "
                f"baseline has {baseline:.4f}. Look at the features and the target in "
                "conf/data.yml, and at src/*/features.py and model.py."
            )
        card = artifact.Card(
            run_id=run_id, task=project.task, labels=contract.labels, features=contract.features
        )
        artifact.save(pipeline, model, card=card, contract=conf / "data.yml")
        described = reference.describe_all(
            fit_rows,
            dataset.predict(pipeline, fit_rows[contract.features], contract.labels),
            contract,
        )
        write_text(model / "reference.json", described.model_dump_json() + "\n")
        tracking.upload(conf, run_id, model, "model")
        ok = True
    finally:
        tracking.finish(conf, run_id, ok=ok)


@contextmanager
def time_budget(seconds: float, source: Path) -> Iterator[None]:
    """Interrupt the block after this many seconds of wall time.

    Raises:
        UsageError: the time was up.
    """
    up = threading.Event()

    def ring() -> None:
        up.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not up.is_set():
            raise
        raise UsageError(
            f"{source}, field `time_budget_seconds`: the fit took longer than {seconds:g} s and "
            "was stopped. Give it more time, less data or a smaller model."
        ) from None
    finally:
        timer.cancel()
