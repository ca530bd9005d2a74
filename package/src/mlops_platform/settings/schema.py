"""Schemas of the files in `conf/`. Errors name the file and the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    model_validator,
)

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.core.names import Task
from mlops_platform.settings.parsing import Settings, parse

Share = float
FIELD = r"^[^.]+(\.[^.]+)*$"
DOTTED = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"  # the module and the name of a function


class Project(Settings):
    """conf/project.yml."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)
    description: str
    team: str
    contact: str
    task: Task
    stage: Literal["explore", "develop", "operate"]
    regulated: bool
    package: str | None = None
    # Functions and classes of the package, and estimators of libraries, that a model's file may
    # hold; estimators of the package, of scikit-learn, LightGBM, XGBoost and CatBoost need no name.
    trusted: list[Annotated[str, Field(pattern=DOTTED)]] = Field(default_factory=list)

    # A public key's file: what `share` signs, and what a deployment from the registry must have.
    signing_key: str | None = None

    @property
    def package_name(self) -> str:
        """The team's importable package in src/: `package`, or the name of the project."""
        return self.package or self.name.replace("-", "_")

    @property
    def gates_block(self) -> bool:
        """Whether quality gates block; at stage `explore` they only report."""
        return self.stage != "explore"


class Split(Settings):
    """How `prepare` splits the rows, with shares of all rows."""

    by: Literal["time", "id", "group", "random"]
    validation: Share = Field(gt=0, lt=0.5)
    test: Share = Field(gt=0, lt=0.5)


class Retrain(Settings):
    """When a machine may start a training: how often, and with how many new labelled rows."""

    cool_down_hours: float = Field(default=24, ge=0, le=87_600)
    per_week: int = Field(default=3, ge=1)
    new_rows: int = Field(default=1, ge=1)


class Cost(Settings):
    """What a wrong decision costs, in any unit: only the ratio counts."""

    false_positive: float = Field(gt=0)
    false_negative: float = Field(gt=0)


class Threshold(Settings):
    """What the threshold of the positive class is chosen for: the best metric, or least cost."""

    metric: str | None = None
    cost: Cost | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Threshold:
        if (self.metric is None) == (self.cost is None):
            raise ValueError("give exactly one of `metric` and `cost`")
        return self


class Train(Settings):
    """conf/train.yml."""

    seed: int = Field(ge=0, lt=2**32)
    time_budget_seconds: float = Field(gt=0, le=1_000_000)  # longer ones overflow a timer
    split: Split
    parameters: dict[str, Any]
    threshold: Threshold | None = None
    retrain: Retrain = Retrain()
    # The search space of a sweep in Azure ML.
    search: dict[str, list[bool | int | float | str]] = Field(default_factory=dict)

    def with_parameters(self, overrides: Mapping[str, str]) -> Train:
        """A copy with other parameters; their values are parsed as JSON, or else are text.

        Raises:
            UsageError: a parameter is not in conf/train.yml.
        """
        parameters = dict(self.parameters)
        for name, text in overrides.items():
            if name not in parameters:
                raise UsageError(
                    f"--parameter {name}={text}: conf/train.yml has no such parameter; "
                    f"choose one of {', '.join(parameters) or 'none'}."
                )
            try:
                parameters[name] = json.loads(text)
            except ValueError:
                parameters[name] = text
        return self.model_copy(update={"parameters": parameters})


class Limit(Settings):
    """A limit on a metric of the test set."""

    metric: str
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Limit:
        if (self.min is None) == (self.max is None):
            raise ValueError("give exactly one of `min` and `max`")
        return self


class Guardrails(Settings):
    """Limits that a challenger must not violate, even if its metric is better."""

    size_mb: float = Field(gt=0)
    load_seconds: float = Field(gt=0)
    worst_group_drop: float = Field(ge=0)
    min_group_rows: int = Field(ge=1)
    growth: float = Field(default=1.5, gt=1)
    new_packages: int = Field(default=10, ge=0)


class Drift(Settings):
    """Limits of drift detection."""

    psi: float = Field(gt=0)
    distance: float = Field(gt=0, lt=1)
    p_value: float = Field(gt=0, lt=1)
    missing: Share = Field(gt=0, lt=1)
    min_rows: int = Field(ge=1)


class Gates(Settings):
    """conf/gates.yml."""

    metric: str
    margin: float = Field(ge=0)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100, le=10_000)
    quality: list[Limit]
    guardrails: Guardrails
    drift: Drift


class Consumer(Settings):
    """A consumer of the model: the fields that it reads from a response, the rows that it sends."""

    reads: dict[Annotated[str, Field(pattern=FIELD)], Literal["text", "number"]] = Field(
        min_length=1
    )
    sends: list[dict[str, Any]] | None = Field(default=None, min_length=1)


class Consumers(Settings):
    """conf/consumers.yml."""

    consumers: dict[str, Consumer]


def load_project(conf: Path) -> Project:
    """Read conf/project.yml."""
    return parse(Project, read_yaml(conf / "project.yml"), conf / "project.yml")


def load_train(conf: Path) -> Train:
    """Read conf/train.yml."""
    return parse(Train, read_yaml(conf / "train.yml"), conf / "train.yml")


def load_gates(conf: Path) -> Gates:
    """Read conf/gates.yml."""
    return parse(Gates, read_yaml(conf / "gates.yml"), conf / "gates.yml")


def load_consumers(conf: Path) -> dict[str, Consumer]:
    """Read conf/consumers.yml: consumers by name."""
    source = conf / "consumers.yml"
    return parse(Consumers, read_yaml(source), source).consumers
