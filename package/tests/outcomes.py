"""Versions that are judged on outcomes that came later, of a known truth, without a registry."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from mlops_platform import settings
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evaluation import bootstrap, metrics, spread
from mlops_platform.evidence import VersionTruth
from mlops_platform.models import dataset
from mlops_platform.models.team import Team
from mlops_platform.tracking.promised import Figure
from mlops_platform.truth import ids, ledger
from mlops_platform.truth.config import Truth
from mlops_platform.truth.join import Joined, Known, join
from mlops_platform.truth.judge import Promise, Rules, judge
from mlops_platform.truth.labels import Labels
from mlops_platform.truth.ledger import Ledger
from sklearn.pipeline import Pipeline

from package.tests.models import conf_of, module

TODAY = date(2026, 3, 1)  # the outcomes of both years of the samples are known
THREE = "late"  # a third class: defaults of those who have been late before


class Setting(NamedTuple):
    """A project's task and settings; `classes` is 3 for a third class."""

    package: str
    classes: int = 2

    @property
    def conf(self) -> Path:
        """Its settings."""
        return conf_of(self.package)

    def contract(self) -> Contract:
        """Its contract."""
        task = settings.load_project(self.conf).task
        contract = load_contract(self.conf / "data.yml", task)
        if self.classes == 2 or task == "regression":
            return contract
        target = contract.raw[contract.target]
        three = target.model_copy(update={"values": [*target.values, THREE], "positive": None})
        return contract.model_copy(update={"raw": {**contract.raw, contract.target: three}})

    def rules(self, **changed: Any) -> Rules:
        """What its verdicts depend on; `changed` are fields of conf/truth.yml."""
        gates, task = settings.load_gates(self.conf), settings.load_project(self.conf).task
        truth = Truth(**changed)
        metric = metrics.primary_metric(gates, task, self.conf)
        return Rules(metric, self.contract(), gates, truth, 0, TODAY)

    def sample(self, rows: int, seed: int, noise: float = 0) -> pd.DataFrame:
        """Raw rows with outcomes; `noise` is the sample's own knob, which changes the truth."""
        knobs = {"noise": noise} if noise else {}
        frame = module(self.package, "sample").make(rows, seed=seed, **knobs)
        if self.classes == 3:
            bad = (frame["outcome"] == "defaulted") & (frame["late_payments"] > 0)
            frame["outcome"] = np.where(bad, THREE, frame["outcome"])
        return frame


class Fitted(NamedTuple):
    """A model and what its test set promised."""

    model: Pipeline
    promise: Promise


def fit(setting: Setting, seed: int, rows: int = 3000) -> Fitted:
    """Train on the older rows of a sample, and test on the newest fifth."""
    rules, team = setting.rules(), Team(setting.package)
    contract, train = rules.contract, settings.load_train(setting.conf)
    typed = contract.typed(setting.sample(rows, seed))[0]
    learned, tested = typed.iloc[: rows * 3 // 5], typed.iloc[rows * 4 // 5 :]
    model = Pipeline(
        [
            ("features", team.build_features(contract)),
            ("model", team.build_model(dict(train.parameters), seed)),
        ]
    ).fit(learned[contract.features], dataset.encode_target(learned, contract))
    truth = dataset.encode_target(tested, contract)
    predicted = dataset.predict(model, tested[contract.features], contract.labels)
    estimates = bootstrap.estimates(
        len(truth),
        rules.metric.on(truth, predicted),
        times=rules.gates.resamples,
        seed=seed,
    )
    low, high = bootstrap.interval(estimates, rules.gates.confidence)
    value = rules.metric.compute(truth, predicted)
    varies = spread.over_time(
        tested[contract.named("time")[0]], truth, predicted, metric=rules.metric, seed=seed
    )
    figure = Figure(value, low, high, *(varies or (None, 0)))
    return Fitted(model, Promise("1", "champion", contract.labels, None, figure))


def keep(fitted: Fitted, rows: pd.DataFrame, into: Ledger, rules: Rules) -> None:
    """Predict raw rows, and keep the predictions in the months of the rows."""
    contract = rules.contract
    typed = contract.typed(rows)[0]
    name = contract.named("id")[0]
    table = ledger.table(
        ids.as_texts(rows[name], contract.columns[name]),
        dataset.predict(fitted.model, typed[contract.features], contract.labels),
        version=fitted.promise.number,
        period=[rules.truth.period_of(day) for day in typed[contract.named("time")[0]]],
        time=datetime(2026, 1, 1, tzinfo=UTC),
    )
    into.append([table])


def join_all(
    into: Ledger, labels: pd.DataFrame, setting: Setting, rules: Rules, scratch: Path
) -> tuple[Joined, Labels]:
    """Join a ledger with labels; the versions in it have seen no row."""
    scratch.mkdir(parents=True)
    path = scratch / "labels.csv"
    labels.to_csv(path, index=False)
    found = Labels(path, rules.contract, Team(setting.package), rules.truth)
    joined = join(
        into.batches(["id", "version", "period", "time", "scores"]),
        found.chunks(),
        rows=len(labels),
        columns=found.columns,
        known={number: Known(np.empty(0, np.uint64)) for number in "123"},
        learned=None,
        scratch=scratch,
    )
    return joined, found


def verdict(
    setting: Setting,
    fitted: Fitted,
    folder: Path,
    *,
    seed: int,
    noise: float = 0,
    groups: bool = True,
) -> VersionTruth:
    """The verdict on new rows, whose outcomes follow the same truth, or a changed one.

    Without `groups`, which decide nothing, it takes a fifth of the time.
    """
    rules = setting.rules()
    if not groups:
        rails = rules.gates.guardrails.model_copy(update={"min_group_rows": 1_000_000})
        gates = rules.gates.model_copy(update={"guardrails": rails})
        rules = replace(rules, gates=gates)
    rows = setting.sample(3000, seed, noise)
    rows = rows[rows["month"] >= "2025-10"]  # three months, of about 125 rows each
    into = Ledger(folder / "ledger")
    keep(fitted, rows, into, rules)
    joined, found = join_all(into, rows, setting, rules, folder / "scratch")
    return judge(fitted.promise, joined, rules, found.lacking)
