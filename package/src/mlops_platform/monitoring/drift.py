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

from mlops_platform.core.text import pluralize
from mlops_platform.data.contract import Contract
from mlops_platform.evidence import ColumnDrift, DriftReport
from mlops_platform.monitoring.counts import Categories, Numbers, present_rows
from mlops_platform.monitoring.reference import (
    Distribution,
    Reference,
    count_words,
    prediction_columns,
)
from mlops_platform.settings import Drift

PARTS = 4  # a mix has no, one, two, three or four quarters of learned rows


class Comparison:
    """Compares rows, chunk by chunk, with a model's reference."""

    def __init__(self, reference: Reference, contract: Contract) -> None:
        learned = {each.name: each for each in reference.learned}
        self.rows = 0
        self._contract = contract
        self._features = [Column(each) for each in reference.features]
        self._predictions = {
            each.name: [Column(mix) for mix in _mixes(each, learned.get(each.name))]
            for each in reference.predictions
        }

    def add(self, rows: pd.DataFrame, predictions: np.ndarray) -> None:
        """Take typed rows, at least one, and their predictions.

        Predictions are probabilities (rows, labels), or values (rows,).
        """
        self.rows += len(rows)
        for column in self._features:
            values = rows[column.training.name]
            column.add(count_words(values) if column.training.words else values)
        for name, values in prediction_columns(predictions, self._contract.labels):
            for column in self._predictions.get(name, []):
                column.add(values)

    def merge(self, other: Comparison) -> None:
        """Add what another has counted of other rows."""
        self.rows += other.rows
        for mine, its in zip(self._columns(), other._columns(), strict=True):
            mine.merge(its)

    def _columns(self) -> list[Column]:
        return self._features + [each for mixes in self._predictions.values() for each in mixes]

    def report(self, limits: Drift, model: str, version: str) -> DriftReport:
        """The verdict on all rows.

        The probability of a false alarm in any column is at most `limits.p_value` (Bonferroni).
        """
        report = DriftReport(
            verdict="insufficient evidence",
            message=f"{pluralize(self.rows, 'row')}, at least {limits.min_rows} are needed for a "
            "verdict (conf/gates.yml, `drift.min_rows`)",
            model=model,
            version=version,
            rows=self.rows,
            columns=[],
        )
        if self.rows < limits.min_rows:
            return report
        count = len(self._features) + len(self._predictions)
        report.columns = [
            column.drift(limits, prediction=False, columns=count) for column in self._features
        ]
        for mixes in self._predictions.values():
            found = [column.drift(limits, prediction=True, columns=count) for column in mixes]
            report.columns.append(min(found, key=lambda each: (each.drifted, each.distance)))
        drifted = [column.column for column in report.columns if column.drifted]
        report.verdict = "drift" if drifted else "stable"
        report.message = (
            f"{len(drifted)} of {count} columns drifted: {', '.join(drifted)}"
            if drifted
            else f"none of {count} columns drifted"
        )
        return report


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
    """Compare rows that are in memory; see `Comparison`."""
    comparison = Comparison(reference, contract)
    if len(rows):
        comparison.add(rows, predictions)
    return comparison.report(limits, model, version)


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


def psi(training: np.ndarray, current: np.ndarray, rows: int) -> float:
    """Population stability index of two distributions over the same bins.

    sum((current - training) * ln(current / training)): Siddiqi, Credit Risk Scorecards (2006),
    chapter 9. Usually, below 0.1 means stable, above 0.2 a shift. A share is at least half a row of
    the smaller sample, which has `rows` rows, so that an empty bin does not make it infinite.
    """
    minimum = 0.5 / rows
    training, current = np.maximum(training, minimum), np.maximum(current, minimum)
    return float(((current - training) * np.log(current / training)).sum())


class Column:
    """Compares the values of one column, chunk by chunk, with those of the training data."""

    def __init__(self, training: Distribution) -> None:
        self.training = training
        self._rows = 0
        self._missing = 0
        judged = not training.clock and present_rows(training) > 0
        self._numbers = Numbers(training) if judged and training.quantiles else None
        self._categories = Categories(training) if judged and training.shares else None

    def add(self, values: pd.Series) -> None:
        """Take values, (rows,); some may be missing."""
        present = values.dropna()
        self._rows += len(values)
        self._missing += len(values) - len(present)
        if self._numbers is not None:
            self._numbers.add(*np.unique(present, return_counts=True))
        if self._categories is not None:
            self._categories.add(present)

    def merge(self, other: Column) -> None:
        """Add what another has counted of other rows."""
        self._rows += other._rows
        self._missing += other._missing
        if self._numbers is not None and other._numbers is not None:
            self._numbers.merge(other._numbers)
        if self._categories is not None and other._categories is not None:
            self._categories.merge(other._categories)

    def drift(self, limits: Drift, *, prediction: bool, columns: int) -> ColumnDrift:
        """The verdict; `columns` are judged together."""
        numeric = self.training.quantiles is not None
        kind = "prediction" if prediction else "numeric" if numeric else "categorical"
        result = ColumnDrift(
            column=self.training.name,
            kind=kind,  # type: ignore[arg-type]
            psi=0,
            test="Kolmogorov-Smirnov" if numeric else "chi-square",
            distance=0,
            p_value=1,
            missing_then=self.training.missing,
            missing_now=self._missing / self._rows,
            new_values=0,
            bins=[],
            then=[],
            now=[],
            drifted=False,
            reasons=[],
        )
        if self._numbers is not None and self._numbers.rows:
            result.bins = _bin_names(self._numbers)
            _judge(self._numbers, self._numbers.size, result)
        if self._categories is not None and self._categories.rows:
            result.bins = self._categories.bins()
            result.new_values = self._categories.new_values
            _judge(self._categories, present_rows(self.training), result)
        if result.p_value < limits.p_value / columns:
            if result.psi > limits.psi:
                result.reasons.append(f"PSI {result.psi:.3f}, at most {limits.psi:g}")
            if result.distance > limits.distance:
                text = f"distance {result.distance:.3f}, at most {limits.distance:g}"
                result.reasons.append(text)
        if result.missing_now - result.missing_then > limits.missing:
            result.reasons.append(
                f"{result.missing_now:.1%} missing, {result.missing_then:.1%} in training, "
                f"at most {limits.missing:.1%} more allowed"
            )
        if result.new_values and result.reasons:
            result.reasons.append(f"{result.new_values} values that training did not have")
        result.drifted = bool(result.reasons)
        return result


def _judge(counted: Numbers | Categories, rows: int, result: ColumnDrift) -> None:
    """Distance, p-value and PSI; the training data has `rows` rows."""
    result.distance, result.p_value = counted.test()
    then, now = counted.shares()
    result.psi = psi(then, now, min(rows, counted.rows))
    result.then, result.now = then.tolist(), now.tolist()


def _bin_names(numbers: Numbers) -> list[str]:
    names = numbers.names
    first = [f"below {names[0]}", names[0]] if numbers.many_smallest else [f"up to {names[0]}"]
    between = [f"{low} to {high}" for low, high in pairwise(names)]
    return [*first, *between, f"above {names[-1]}"]
