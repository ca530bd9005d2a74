"""Predicts: behind the endpoint, in batches, and in Azure ML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.models import artifact, dataset
from mlops_platform.models.team import Team
from mlops_platform.serving.requests import Fault, Requests


class Scorer:
    """A model with its contract, name and version.

    The contract is that of the training, in the model's folder: conf/data.yml may have changed
    since.
    """

    def __init__(self, folder: Path, name: str, version: str, team: Team) -> None:
        """Load the model and predict once, so that an unusable model fails here.

        Raises:
            UsageError: the folder has no model, or one that cannot be loaded or used.
        """
        self.name = name
        self.version = version
        self.task = artifact.load_card(folder).task
        self.contract = load_contract(folder / "contract.yml", self.task)
        self.labels = self.contract.labels
        self.requests = Requests(self.contract)
        self._model = artifact.load(folder, team)
        try:
            self.rows([self.requests.example()])
        except Exception as error:
            raise UsageError(
                f"{folder}: the model of version {version} cannot predict ({error}). Check that "
                "it was trained with this code and these packages: its tags `git_commit` and "
                "`lock_hash` show it."
            ) from error

    def answer(self, body: bytes) -> dict[str, Any]:
        """Return the content of the response to a request's JSON.

        Raises:
            RequestError: the body violates the contract.
        """
        return self.content(self.requests.read(body))

    def content(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """The content of the response to validated rows."""
        return {"model": self.name, "version": self.version, "predictions": self.rows(rows)}

    def problem(self, error: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
        """The content of the response without a prediction."""
        return {
            "model": self.name,
            "version": self.version,
            "error": error,
            "faults": [fault._asdict() for fault in faults],
        }

    def rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Predictions for validated request rows, in their order.

        Each has the row's id, where it was given, and either `label` with `probabilities` by
        label, or `value`.
        """
        predicted = self.predict(self._frame(rows))
        ids = [self._id(row) for row in rows]
        if not self.labels:
            return [
                {**known, "value": value}
                for known, value in zip(ids, predicted.tolist(), strict=True)
            ]
        return [
            {
                **known,
                "label": label,
                "probabilities": dict(zip(self.labels, shares, strict=True)),
            }
            for known, label, shares in zip(
                ids, self.chosen(predicted), predicted.tolist(), strict=True
            )
        ]

    def typed(self, raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The features of raw rows in their own types, and the faults of `Contract.failure_cases`.

        Only the features are checked: scoring a row does not need its target.
        """
        typed, unread = self.contract.typed(raw[self.contract.features])
        return typed, self.contract.failure_cases(typed, unread)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Probabilities (rows, labels), or values (rows,), for rows of `typed` without a fault."""
        return dataset.predict(self._model, rows, self.labels)

    def chosen(self, probabilities: np.ndarray) -> list[str]:
        """The most probable label of each row."""
        return [self.labels[code] for code in probabilities.argmax(axis=1)]

    def _id(self, row: dict[str, Any]) -> dict[str, Any]:
        """`id` and its value, where the contract has an id and the row gives it."""
        ids = [row[name] for name in self.contract.named("id")]
        return {"id": ids[0]} if ids and ids[0] is not None else {}

    def _frame(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Request rows with the types that `Contract.typed` gives: training saw the same."""
        columns: dict[str, Any] = {}
        for name in self.contract.features:
            values = [np.nan if row[name] is None else row[name] for row in rows]
            if self.contract.columns[name].numeric:
                columns[name] = np.array(values, dtype="float64")
            else:
                columns[name] = pd.Series(values, dtype=object)
        return pd.DataFrame(columns)
