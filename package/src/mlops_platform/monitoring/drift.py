"""Statistics of drift: rows of today against the distributions that a model was trained on.

A column has drifted where a distance is above its limit and chance does not explain it, or where
more of its values are missing than the limit allows. Both are asked for, because each alone is
wrong: in a large file a trifle is significant, in a small one a large distance is chance.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from mlops_platform.core.text import amount
from mlops_platform.data.contract import Contract
from mlops_platform.evidence import ColumnDrift, DriftReport
from mlops_platform.monitoring.reference import Distribution, Reference, columns_of
from mlops_platform.settings import Drift

BINS = 10
REBUILT = 100_000
NEW = "(new values)"
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

    `predictions` are probabilities (rows, labels) or values (rows,). The chance of one false alarm
    in all columns is held at `limits.p_value` (Bonferroni).
    """
    report = DriftReport(
        verdict="insufficient evidence",
        message=f"{amount(len(rows), 'row')}, at least {limits.min_rows} are needed for a verdict "
        "(conf/gates.yml, `drift.min_rows`)",
        model=model,
        version=version,
        rows=len(rows),
        columns=[],
    )
    if len(rows) < limits.min_rows:
        return report
    predicted = dict(columns_of(predictions, contract.labels))
    pairs = [(then, rows[then.name], False) for then in reference.features]
    pairs += [(then, predicted[then.name], True) for then in reference.predictions]
    report.columns = [
        _column(then, now, limits, prediction=prediction, columns=len(pairs))
        for then, now, prediction in pairs
    ]
    drifted = [column.column for column in report.columns if column.drifted]
    report.verdict = "drift" if drifted else "stable"
    report.message = (
        f"{len(drifted)} of {len(pairs)} columns drifted: {', '.join(drifted)}"
        if drifted
        else f"none of {len(pairs)} columns drifted"
    )
    return report


def psi(then: Shares, now: Shares, rows: int) -> float:
    """Population stability index of two sets of shares over the same bins.

    sum((now - then) * ln(now / then)): Siddiqi, Credit Risk Scorecards (2006), chapter 9. Below
    0.1 is commonly read as stable, above 0.2 as a shift. A share counts as half a row at least,
    of the smaller sample with `rows` rows, so that an empty bin does not make it infinite.
    """
    floor = 0.5 / rows
    then, now = np.maximum(then, floor), np.maximum(now, floor)
    return float(((now - then) * np.log(now / then)).sum())


def _column(
    then: Distribution, now: pd.Series, limits: Drift, *, prediction: bool, columns: int
) -> ColumnDrift:
    numeric = then.quantiles is not None
    kind = "prediction" if prediction else "numeric" if numeric else "categorical"
    found = ColumnDrift(
        column=then.name,
        kind=kind,  # type: ignore[arg-type]
        psi=0,
        test="Kolmogorov-Smirnov" if numeric else "chi-square",
        distance=0,
        p_value=1,
        missing_then=then.missing,
        missing_now=float(now.isna().mean()),
        new_values=0,
        bins=[],
        then=[],
        now=[],
        drifted=False,
        reasons=[],
    )
    present = now.dropna()
    if len(present) and (then.quantiles or then.shares):
        (_numbers if numeric else _categories)(then, present, found)
    if found.p_value < limits.p_value / columns:
        if found.psi > limits.psi:
            found.reasons.append(f"PSI {found.psi:.3f}, at most {limits.psi:g}")
        if found.distance > limits.distance:
            found.reasons.append(f"distance {found.distance:.3f}, at most {limits.distance:g}")
    if found.missing_now - found.missing_then > limits.missing:
        found.reasons.append(
            f"{found.missing_now:.1%} missing, {found.missing_then:.1%} at training, "
            f"at most {limits.missing:.1%} more"
        )
    if found.new_values and found.reasons:
        found.reasons.append(f"{found.new_values} values that training did not have")
    found.drifted = bool(found.reasons)
    return found


def _numbers(then: Distribution, now: pd.Series, found: ColumnDrift) -> None:
    """PSI over deciles, and the two-sample Kolmogorov-Smirnov test.

    The training sample is rebuilt from its quantiles, at its size (100,000 at most), straight
    lines between them. What lies between two of the 201 quantiles is unknown, which moves the
    distance by 0.005 at most. Unlike a one-sample test, this one allows for ties and for the
    chance in the training sample itself.
    """
    quantiles = np.array(then.quantiles)
    size = min(_present(then), REBUILT)
    grid = np.linspace(0, 1, len(quantiles))
    rebuilt = np.interp((np.arange(size) + 0.5) / size, grid, quantiles)
    edges = np.unique(np.quantile(quantiles, np.arange(1, BINS) / BINS))
    shown = [f"{edge:.4g}" for edge in edges]
    found.bins = [f"up to {shown[0]}"]
    if edges[0] == quantiles[0]:
        # Many rows share the least value: without a bin below it, a fall would not show.
        found.bins = [f"below {shown[0]}", shown[0]]
        edges = np.concatenate([[np.nextafter(edges[0], -np.inf)], edges])
    found.bins += [f"{low} to {high}" for low, high in pairwise(shown)]
    found.bins.append(f"above {shown[-1]}")
    tested = stats.ks_2samp(now, rebuilt, method="asymp")
    found.distance, found.p_value = float(tested.statistic), float(tested.pvalue)
    _binned(found, _shares(rebuilt, edges), _shares(now, edges), min(size, len(now)))


def _categories(then: Distribution, now: pd.Series, found: ColumnDrift) -> None:
    """PSI over the values, the chi-square test, and the total variation distance.

    The distance is half the sum of the differences of shares: the part of the rows that would have
    to change their value. Values that training did not have make one bin together.
    """
    shares = then.shares or {}
    known = now.astype(str).where(now.isin(list(shares)), NEW)
    found.new_values = int(now[~now.isin(list(shares))].nunique())
    found.bins = [*shares, NEW] if found.new_values else list(shares)
    before = np.array([shares.get(name, 0) for name in found.bins])
    counts = known.value_counts().reindex(found.bins, fill_value=0).to_numpy()
    table = np.array([before * _present(then), counts])
    if len(found.bins) > 1:
        found.p_value = float(stats.chi2_contingency(table, correction=False).pvalue)
    today = counts / counts.sum()
    found.distance = float(np.abs(today - before).sum() / 2)
    _binned(found, before, today, min(_present(then), len(now)))


def _binned(found: ColumnDrift, then: Shares, now: Shares, rows: int) -> None:
    found.psi = psi(then, now, rows)
    found.then, found.now = then.tolist(), now.tolist()


def _present(then: Distribution) -> int:
    return max(1, round(then.rows * (1 - then.missing)))


def _shares(values: np.ndarray | pd.Series, edges: np.ndarray) -> Shares:
    """The share of values in each bin; a bin holds its upper edge."""
    found = np.searchsorted(edges, values, side="left")
    return np.bincount(found, minlength=len(edges) + 1) / len(values)
