"""Drift detection: compares current rows with the distributions of the training data.

A column has drifted if a distance is above its limit and statistically significant, or if more of
its values are missing than the limit allows. Both conditions are needed: in a large file a small
distance is significant, in a small file a large distance is chance.

A model is surer of rows that it was fitted on, and a file may hold any number of them, such as the
training data with the rows of a new month. So predictions are compared with what is expected of
unseen rows, of learned ones, and of mixes of both; the nearest counts.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from mlops_platform.core.text import pluralize
from mlops_platform.data.contract import Contract
from mlops_platform.evidence import ColumnDrift, DriftReport
from mlops_platform.monitoring.reference import (
    Distribution,
    Reference,
    count_words,
    prediction_columns,
)
from mlops_platform.settings import Drift

BINS = 10
MAX_SAMPLE = 100_000
NEW_VALUES = "(new values)"
PARTS = 4  # a mix has no, one, two, three or four quarters of learned rows
Shares = np.ndarray


def compare(
    rows: pd.DataFrame,
    predictions: np.ndarray,
    reference: Reference,
    *,
    contract: Contract,
    limits: Drift,
    model: str,
    version: str,
) -> DriftReport:
    """Compare typed `rows` and their `predictions` with a model's reference.

    `predictions` are probabilities (rows, labels) or values (rows,). The probability of a false
    alarm in any column is at most `limits.p_value` (Bonferroni).
    """
    report = DriftReport(
        verdict="insufficient evidence",
        message=f"{pluralize(len(rows), 'row')}, at least {limits.min_rows} are needed for a "
        "verdict (conf/gates.yml, `drift.min_rows`)",
        model=model,
        version=version,
        rows=len(rows),
        columns=[],
    )
    if len(rows) < limits.min_rows:
        return report
    predicted = dict(prediction_columns(predictions, contract.labels))
    count = len(reference.features) + len(reference.predictions)
    report.columns = [
        _compare_column(
            each,
            count_words(rows[each.name]) if each.words else rows[each.name],
            limits,
            prediction=False,
            columns=count,
        )
        for each in reference.features
    ]
    learned = {each.name: each for each in reference.learned}
    for unseen in reference.predictions:
        results = [
            _compare_column(mix, predicted[unseen.name], limits, prediction=True, columns=count)
            for mix in _mixes(unseen, learned.get(unseen.name))
        ]
        report.columns.append(min(results, key=lambda found: (found.drifted, found.distance)))
    drifted = [column.column for column in report.columns if column.drifted]
    report.verdict = "drift" if drifted else "stable"
    report.message = (
        f"{len(drifted)} of {count} columns drifted: {', '.join(drifted)}"
        if drifted
        else f"none of {count} columns drifted"
    )
    return report


def _mixes(unseen: Distribution, learned: Distribution | None) -> list[Distribution]:
    """What predictions may look like in a file with unseen and learned rows."""
    if learned is None or not unseen.quantiles or not learned.quantiles:
        return [unseen]
    grid = np.linspace(0, 1, len(unseen.quantiles))
    mixed = [
        np.quantile(unseen.quantiles * (PARTS - part) + learned.quantiles * part, grid).tolist()
        for part in range(1, PARTS)
    ]
    return [
        unseen,
        *(unseen.model_copy(update={"quantiles": quantiles}) for quantiles in mixed),
        learned,
    ]


def psi(training: Shares, current: Shares, rows: int) -> float:
    """Population stability index of two distributions over the same bins.

    sum((current - training) * ln(current / training)): Siddiqi, Credit Risk Scorecards (2006),
    chapter 9. Usually, below 0.1 means stable, above 0.2 a shift. A share is at least half a row of
    the smaller sample, which has `rows` rows, so that an empty bin does not make it infinite.
    """
    minimum = 0.5 / rows
    training, current = np.maximum(training, minimum), np.maximum(current, minimum)
    return float(((current - training) * np.log(current / training)).sum())


def _compare_column(
    training: Distribution, current: pd.Series, limits: Drift, *, prediction: bool, columns: int
) -> ColumnDrift:
    numeric = training.quantiles is not None
    kind = "prediction" if prediction else "numeric" if numeric else "categorical"
    result = ColumnDrift(
        column=training.name,
        kind=kind,  # type: ignore[arg-type]
        psi=0,
        test="Kolmogorov-Smirnov" if numeric else "chi-square",
        distance=0,
        p_value=1,
        missing_then=training.missing,
        missing_now=float(current.isna().mean()),
        new_values=0,
        bins=[],
        then=[],
        now=[],
        drifted=False,
        reasons=[],
    )
    present = current.dropna()
    if len(present) and (training.quantiles or training.shares) and not training.clock:
        (_compare_numbers if numeric else _compare_categories)(training, present, result)
    if result.p_value < limits.p_value / columns:
        if result.psi > limits.psi:
            result.reasons.append(f"PSI {result.psi:.3f}, at most {limits.psi:g}")
        if result.distance > limits.distance:
            result.reasons.append(f"distance {result.distance:.3f}, at most {limits.distance:g}")
    if result.missing_now - result.missing_then > limits.missing:
        result.reasons.append(
            f"{result.missing_now:.1%} missing, {result.missing_then:.1%} in training, "
            f"at most {limits.missing:.1%} more allowed"
        )
    if result.new_values and result.reasons:
        result.reasons.append(f"{result.new_values} values that training did not have")
    result.drifted = bool(result.reasons)
    return result


def _compare_numbers(training: Distribution, current: pd.Series, result: ColumnDrift) -> None:
    """PSI over deciles, and the two-sample Kolmogorov-Smirnov test.

    The training sample is reconstructed from its quantiles by linear interpolation, with at most
    100,000 rows. With 201 quantiles, this changes the distance by at most 0.005. Unlike a
    one-sample test, it accounts for ties and for sampling error in the training data.
    """
    quantiles = np.array(training.quantiles)
    size = min(_present_rows(training), MAX_SAMPLE)
    grid = np.linspace(0, 1, len(quantiles))
    sample = np.interp((np.arange(size) + 0.5) / size, grid, quantiles)
    edges = np.unique(np.quantile(quantiles, np.arange(1, BINS) / BINS))
    labels = [f"{edge:.4g}" for edge in edges]
    result.bins = [f"up to {labels[0]}"]
    if edges[0] == quantiles[0]:
        # Many rows have the smallest value: a bin below it shows values that are even smaller.
        result.bins = [f"below {labels[0]}", labels[0]]
        edges = np.concatenate([[np.nextafter(edges[0], -np.inf)], edges])
    result.bins += [f"{low} to {high}" for low, high in pairwise(labels)]
    result.bins.append(f"above {labels[-1]}")
    test = stats.ks_2samp(current, sample, method="asymp")
    result.distance, result.p_value = float(test.statistic), float(test.pvalue)
    _set_shares(result, _shares(sample, edges), _shares(current, edges), min(size, len(current)))


def _compare_categories(training: Distribution, current: pd.Series, result: ColumnDrift) -> None:
    """PSI over the values, the chi-square test, and the total variation distance.

    The distance is half the sum of the absolute differences of shares. Values that training did
    not have share one bin.
    """
    shares = training.shares or {}
    values = current.astype(str).where(current.isin(list(shares)), NEW_VALUES)
    result.new_values = int(current[~current.isin(list(shares))].nunique())
    result.bins = [*shares, NEW_VALUES] if result.new_values else list(shares)
    expected = np.array([shares.get(name, 0) for name in result.bins])
    counts = values.value_counts().reindex(result.bins, fill_value=0).to_numpy()
    table = np.array([expected * _present_rows(training), counts])
    result.p_value = float(stats.chi2_contingency(table, correction=False).pvalue)
    observed = counts / counts.sum()
    result.distance = float(np.abs(observed - expected).sum() / 2)
    _set_shares(result, expected, observed, min(_present_rows(training), len(current)))


def _set_shares(result: ColumnDrift, training: Shares, current: Shares, rows: int) -> None:
    result.psi = psi(training, current, rows)
    result.then, result.now = training.tolist(), current.tolist()


def _present_rows(training: Distribution) -> int:
    return round(training.rows * (1 - training.missing))


def _shares(values: np.ndarray | pd.Series, edges: np.ndarray) -> Shares:
    """The share of values in each bin; a bin includes its upper edge."""
    bins = np.searchsorted(edges, values)
    return np.bincount(bins, minlength=len(edges) + 1) / len(values)
