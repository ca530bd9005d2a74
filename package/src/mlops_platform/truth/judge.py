"""Verdicts: does a version do on real outcomes what its test set promised?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

from mlops_platform.core.text import pluralize
from mlops_platform.data.contract import Contract
from mlops_platform.evaluation import bootstrap, groups, metrics
from mlops_platform.evidence import Period, VersionTruth
from mlops_platform.settings import Gates
from mlops_platform.tracking.promised import Figure
from mlops_platform.truth.config import Truth
from mlops_platform.truth.join import Joined
from mlops_platform.truth.labels import VALUE

CLASS_ROWS = 10  # of each class, for a metric of classes to say something
SAMPLE_ROWS = 20_000  # of a window: more make an interval narrower than anybody needs


@dataclass(frozen=True)
class Promise:
    """What is known of a version: its labels in their order, its threshold and its test figure."""

    number: str
    role: str
    labels: list[str]
    threshold: float | None
    figure: Figure | None


@dataclass(frozen=True)
class Rules:
    """What a verdict depends on, but for the rows."""

    metric: metrics.Metric
    contract: Contract
    gates: Gates
    truth: Truth
    seed: int
    today: date

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The limits of the primary metric in conf/gates.yml: at least, at most."""
        own = [limit for limit in self.gates.quality if limit.metric == self.metric.name]
        lows = [limit.min for limit in own if limit.min is not None]
        highs = [limit.max for limit in own if limit.max is not None]
        return max(lows, default=None), min(highs, default=None)


def judge(promise: Promise, joined: Joined, rules: Rules, lacking: list[str]) -> VersionTruth:
    """The verdict on one version; `lacking` are columns of groups that the labels do not have."""
    figure = promise.figure
    result = VersionTruth(
        version=promise.number,
        role=promise.role,
        verdict="not yet",
        message="",
        known=joined.known.get(promise.number, 0),
        periods=periods(promise.number, joined, rules),
        test=figure.value if figure else None,
        test_low=figure.low if figure else None,
        test_high=figure.high if figure else None,
        spread=figure.spread if figure else None,
        blocks=figure.blocks if figure else 0,
    )
    chosen, rows = window(promise.number, joined, rules, result.periods)
    result.rows = rows
    result.missing = missing(promise, joined, rules, result, chosen)
    if result.missing:
        result.message = "; ".join(result.missing)
        return result
    result.window = sorted(chosen)
    pairs = joined.pairs(promise.number, chosen, min(1.0, SAMPLE_ROWS / rows))
    _measure(result, pairs, promise, rules, lacking)
    _decide(result, rules)
    return result


def periods(version: str, joined: Joined, rules: Rules) -> list[Period]:
    """The periods of a version, newest first, and why one cannot be judged yet."""
    counts = joined.counts[joined.counts["version"] == version]
    found = []
    for row in counts.sort_values("period", ascending=False).itertuples():
        known_from = rules.truth.known_from(str(row.period))
        share = row.labelled / row.predictions
        why_not = ""
        if known_from > rules.today:
            why_not = f"its outcomes are known from {known_from.isoformat()}"
        elif share < rules.truth.coverage:
            why_not = f"{share:.0%} of its predictions have an outcome"
        found.append(
            Period(
                period=str(row.period),
                predictions=int(row.predictions),
                labelled=int(row.labelled),
                known_from=known_from.isoformat(),
                why_not=why_not,
            )
        )
    return found


def window(
    version: str, joined: Joined, rules: Rules, found: Iterable[Period]
) -> tuple[list[str], int]:
    """The newest periods that are enough for a verdict, or all if none are; and their rows."""
    chosen: list[str] = []
    rows = 0
    for period in found:
        if period.why_not:
            continue
        chosen.append(period.period)
        rows += period.labelled
        if rows >= rules.truth.min_rows and not few_classes(version, joined, rules, chosen):
            break
    return chosen, rows


def few_classes(version: str, joined: Joined, rules: Rules, chosen: list[str]) -> list[str]:
    """The classes with too few rows in a window, with their numbers."""
    own = joined.classes[
        (joined.classes["version"] == version) & joined.classes["period"].isin(chosen)
    ]
    counts = own.groupby(VALUE)["rows"].sum() if len(own) else pd.Series(dtype=int)
    return [
        f"{int(counts.get(float(code), 0))} of {CLASS_ROWS} rows with "
        f"`{rules.contract.target}` '{label}'"
        for code, label in enumerate(rules.contract.labels)
        if counts.get(float(code), 0) < CLASS_ROWS
    ]


def missing(
    promise: Promise, joined: Joined, rules: Rules, result: VersionTruth, chosen: list[str]
) -> list[str]:
    """What a verdict needs."""
    if promise.figure is None:
        return [f"the test figure of {rules.metric.name}, which the version does not have"]
    if set(promise.labels) != set(rules.contract.labels):
        return [f"the classes of conf/data.yml: the version knows {', '.join(promise.labels)}"]
    if not result.periods:
        return ["predictions of new rows: all that are kept are of rows of its own training"]
    if not chosen:
        waiting = [f"{each.period}: {each.why_not}" for each in result.periods[:3]]
        needed = f"outcomes of at least {rules.truth.coverage:.0%} of a period's predictions"
        return [f"{needed} ({'; '.join(waiting)})"]
    found = []
    if result.rows < rules.truth.min_rows:
        found.append(f"{result.rows} of {rules.truth.min_rows} rows with an outcome")
    return found + few_classes(promise.number, joined, rules, chosen)


def _measure(
    result: VersionTruth, pairs: pa.Table, promise: Promise, rules: Rules, lacking: list[str]
) -> None:
    """The metric on the window, and in each group."""
    contract, metric = rules.contract, rules.metric.at(promise.threshold)
    truth = pairs[VALUE].to_numpy()
    scores = np.stack(pairs["scores"].to_numpy())
    if contract.labels:
        truth = truth.astype(int)
        predicted = scores[:, [promise.labels.index(label) for label in contract.labels]]
    else:
        predicted = scores[:, 0]
    names = [*contract.named("sensitive"), *contract.named("group")]
    rows = pd.DataFrame({name: pairs[name].to_pandas() for name in names})
    alike = None if set(lacking) & set(contract.named("group")) else contract.group_codes(rows)
    estimates = bootstrap.estimates(
        len(truth),
        metric.on(truth, predicted),
        times=rules.gates.resamples,
        seed=rules.seed,
        groups=alike,
    )
    result.sampled = len(truth)
    result.value = metric.compute(truth, predicted)
    result.low, result.high = bootstrap.interval(estimates, rules.gates.confidence)
    if alike is not None or not contract.named("group"):
        found = groups.by_group(
            rows,
            truth,
            predicted,
            metric=metric,
            contract=contract,
            limits=rules.gates,
            seed=rules.seed,
        )
        result.groups = [group for group in found if group.column not in lacking]
    if lacking:
        columns = ", ".join(f"`{name}`" for name in lacking)
        result.notes.append(f"the labels do not have {columns}, so nothing is known by it")


def difference(
    value: tuple[float, float, float], test: tuple[float, float, float], spread: float = 0
) -> tuple[float, float]:
    """The interval of `value - test`, from their own: each is an estimate, low and high.

    Method of variance estimates recovery: G. Zou and A. Donner, Construction of confidence limits
    about effect measures (Statistics in Medicine, 2008), for independent estimates. `spread` is
    half the width of a third one, whose estimate is 0.
    """
    (x, x_low, x_high), (y, y_low, y_high) = value, test
    return (
        x - y - math.hypot(x - x_low, y_high - y, spread),
        x - y + math.hypot(x_high - x, y - y_low, spread),
    )


def _loss(result: VersionTruth, rules: Rules, spread: float) -> tuple[float, float] | None:
    """The interval of how much worse a measured version is than on its test set."""
    value, low, high = result.value, result.low, result.high
    test, test_low, test_high = result.test, result.test_low, result.test_high
    if value is None or low is None or high is None:
        return None
    if test is None or test_low is None or test_high is None:
        return None
    change = difference((value, low, high), (test, test_low, test_high), spread)
    return (-change[1], -change[0]) if rules.metric.higher_is_better else change


def _varies(result: VersionTruth, rules: Rules) -> float:
    """Half the width of the interval of a new window around the test set's mean over time.

    Its periods follow each other and are alike, so a window counts as one block.
    """
    if not result.spread or result.blocks < 2:
        return 0.0
    quantile = float(stats.t.ppf((1 + rules.gates.confidence) / 2, result.blocks - 1))
    return quantile * result.spread * math.sqrt(1 + 1 / result.blocks)


def _decide(result: VersionTruth, rules: Rules) -> None:
    """Set verdict and message of a measured version."""
    value, low, high, test = result.value, result.low, result.high, result.test
    if value is None or low is None or high is None or test is None:
        result.missing = [f"a window in which {rules.metric.name} is defined"]
        result.message = result.missing[0]
        return
    margin = rules.gates.margin
    result.worse_by = -rules.metric.gain(value, test)
    loss, sampled = _loss(result, rules, _varies(result, rules)), _loss(result, rules, 0)
    if loss is None or sampled is None:
        result.notes.append(
            "the interval of the test figure was not recorded, so only a limit can be broken"
        )
    else:
        result.worse_low, result.worse_high = loss
    least, most = rules.bounds
    interval = f"{rules.metric.name} is {value:.4g} [{low:.4g}, {high:.4g}]"
    first, last = result.window[0], result.window[-1]
    span = first if first == last else f"{first} to {last}"
    beside = f"{interval} on {pluralize(result.rows, 'row')} of {span}, {test:.4g} on the test set"
    limit = describe_limit(rules)
    if (least is not None and high < least) or (most is not None and low > most):
        result.verdict = "broken"
        result.message = f"{beside}: it does not meet the limit, {limit}"
    elif loss is not None and loss[0] > margin:
        result.verdict = "broken"
        result.message = f"{beside}: significantly worse, by at least {loss[0]:.4g}"
    elif (least is not None and value < least) or (most is not None and value > most):
        result.verdict = "doubtful"
        result.message = f"{beside}: it misses the limit, {limit}, though not significantly"
    elif sampled is not None and sampled[0] > margin:
        result.verdict = "doubtful"
        result.message = f"{beside}: worse, though no more than the test set varies over time"
    else:
        result.verdict = "holds"
        result.message = beside


def describe_limit(rules: Rules) -> str:
    """The limits of the primary metric in words; empty without any."""
    least, most = rules.bounds
    words = [f"at least {least:g}"] if least is not None else []
    words += [f"at most {most:g}"] if most is not None else []
    return " and ".join(words)
