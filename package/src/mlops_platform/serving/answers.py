"""The answers of the endpoint, as /openapi.json describes them."""

from __future__ import annotations

from pydantic import BaseModel


class ClassPrediction(BaseModel):
    """The most probable label, and the probability of each; `id` only if the row had one."""

    id: str | int | None = None
    label: str
    probabilities: dict[str, float]


class ValuePrediction(BaseModel):
    """The predicted value; `id` only if the row had one."""

    id: str | int | None = None
    value: float


class ClassAnswer(BaseModel):
    """Predictions in the order of the rows, and the model that made them."""

    model: str
    version: str
    predictions: list[ClassPrediction]


class ValueAnswer(BaseModel):
    """Predictions in the order of the rows, and the model that made them."""

    model: str
    version: str
    predictions: list[ValuePrediction]


class FaultShown(BaseModel):
    """What is wrong, in which row (counted from 1) and field; null for the whole body."""

    row: int | None
    field: str | None
    message: str


class Problem(BaseModel):
    """Why there is no answer; `faults` are those of the request."""

    model: str
    version: str
    error: str
    faults: list[FaultShown] = []


class Status(BaseModel):
    """`live` or `ready`, and the model that answers."""

    status: str
    model: str
    version: str
