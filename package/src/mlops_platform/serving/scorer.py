"""Predicts: behind the endpoint, in batches, and in Azure ML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.data.decision import decide
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.models import artifact, dataset
from mlops_platform.models.rows import read_rows, request_rows
from mlops_platform.models.team import Team
from mlops_platform.serving.requests import Fault, RequestError, Requests, derived_faults

G = TypeVar("G")
T = TypeVar("T")


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
        card = artifact.load_card(folder)
        self.task, self.threshold, self.trained = card.task, card.threshold, card.trained
        self.contract = load_contract(folder / "contract.yml", self.task)
        self.labels = self.contract.labels
        self.requests = Requests(self.contract)
        self._model = artifact.load(folder, team)
        self._team = team
        try:
            self._try()
        except Exception as error:
            raise UsageError(
                f"{folder}: the model of version {version} cannot predict ({error}). Check that "
                "it was trained with this code and these packages: its tags `git_commit` and "
                "`lock_hash` show it."
            ) from error

    def answer(self, body: bytes) -> dict[str, Any]:
        """Return the content of the response to a request's JSON.

        Raises:
            RequestError: the body, or a value derived from it, violates the contract.
        """
        return self.content(self.requests.read(body))

    def answers(self, bodies: Sequence[bytes]) -> list[dict[str, Any] | Exception]:
        """The content of the response to each of some requests, or why there is none.

        All rows are predicted together; if that fails, each request by itself.
        """
        found: list[list[dict[str, Any]] | Exception] = [
            _tried(self.requests.read, body) for body in bodies
        ]
        given = [rows for rows in found if not isinstance(rows, Exception)]
        together = _tried(self.rows, [row for rows in given for row in rows]) if given else []
        answers: list[dict[str, Any] | Exception] = []
        start = 0
        for rows in found:
            if isinstance(rows, Exception):
                answers.append(rows)
            elif isinstance(together, Exception):
                answers.append(together if len(given) == 1 else _tried(self.content, rows))
            else:
                answers.append(self._content(together[start : start + len(rows)]))
                start += len(rows)
        return answers

    def content(self, given: list[dict[str, Any]]) -> dict[str, Any]:
        """The content of the response to validated rows."""
        return self._content(self.rows(given))

    def _content(self, predictions: list[dict[str, Any]]) -> dict[str, Any]:
        return {"model": self.name, "version": self.version, "predictions": predictions}

    def problem(self, error: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
        """The content of the response without a prediction."""
        return {
            "model": self.name,
            "version": self.version,
            "error": error,
            "faults": [fault._asdict() for fault in faults],
        }

    def rows(self, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Predictions for validated request rows, in their order.

        Each has the row's id, where it was given, and either `label` with `probabilities` by
        label, or `value`.

        Raises:
            RequestError: a derived value violates the contract.
        """
        read = request_rows(given, self.contract, self._team)
        if len(read.faults):
            raise RequestError(derived_faults(read.faults))
        predicted = self.predict(read.typed[self.contract.features])
        name = next(iter(self.contract.named("id")), None)
        ids = [{} if name is None or row[name] is None else {"id": row[name]} for row in given]
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

    def read(
        self, raw: pd.DataFrame, source: Source | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The features of raw rows, and the faults of `Contract.failure_cases`.

        Only what scoring needs is judged: a row to score needs no target. Text is as in `source`,
        or else as in the data that the model was trained on.
        """
        read = read_rows(raw, self.contract, self._team, source=source)
        return read.typed[self.contract.features], read.faults

    def collected(self, given: list[dict[str, Any]]) -> pd.DataFrame:
        """The features of answered request rows: raw ones as they were given, and derived ones."""
        contract = self.contract
        features = pd.DataFrame(given)[[name for name in contract.features if name in contract.raw]]
        if contract.derived:
            typed = request_rows(given, self.contract, self._team).typed
            for name in contract.features:
                if name in contract.derived:
                    features[name] = typed[name]
        return features

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Probabilities (rows, labels), or values (rows,), for features of rows without a fault."""
        return dataset.predict(self._model, features, self.labels)

    def chosen(self, probabilities: np.ndarray) -> list[str]:
        """The label that the model decides for each row."""
        return [self.labels[code] for code in decide(probabilities, self.threshold)]

    def _try(self) -> None:
        """Predict for an example; its derived values may break rules that real rows keep."""
        read = request_rows([self.requests.example()], self.contract, self._team).typed
        for name in self.contract.derived:
            read[name] = self.requests.value(name)
        typed, _ = self.contract.typed(read, PLAIN)
        self.predict(typed[self.contract.features])


def _tried(function: Callable[[G], T], given: G) -> T | Exception:
    """What a function returns, or the error that it raises."""
    try:
        return function(given)
    except Exception as error:
        return error
