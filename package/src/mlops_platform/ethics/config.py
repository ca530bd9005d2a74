"""Settings in conf/ethics.yml: principles, checks and waivers. Errors name the file and field."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.ethics.catalogue import ITEMS
from mlops_platform.ethics.limits import bounds
from mlops_platform.evidence.ethics import Bound
from mlops_platform.settings import Project, Settings, parse

FILE = "ethics.yml"
Text = Annotated[str, Field(min_length=3)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Category = Literal[
    "data",
    "privacy",
    "security",
    "auditability",
    "fairness",
    "reliability",
    "transparency",
    "oversight",
]
# The categories whose failed checks block a version, by the project's stage.
BLOCKING: dict[str, frozenset[str]] = {
    "explore": frozenset(),
    "develop": frozenset({"data", "privacy", "security", "auditability"}),
    "operate": frozenset(Category.__args__),  # type: ignore[attr-defined]
}


class BaseCheck(Settings):
    """Fields of all checks."""

    id: Slug
    asks: Text
    category: Category
    maps_to: tuple[str, ...] = ()

    @field_validator("maps_to")
    @classmethod
    def _check_items(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        for item in items:
            if item not in ITEMS:
                raise ValueError(
                    f"'{item}' is not an item of deon (`D.2`), NIST AI RMF (`MEASURE 2.11`) or "
                    "the EU AI Act (`Annex IV 2(g)`)"
                )
        return items


class MetricCheck(BaseCheck):
    """A measured value that is compared with a limit, by its confidence bound.

    `over` selects the groups: values of each sensitive column, or of each pair of columns.
    """

    kind: Literal["metric"]
    measure: str
    min: float | None = None
    max: float | None = None
    over: Literal["columns", "intersections"] = "columns"

    @model_validator(mode="after")
    def _one_bound(self) -> MetricCheck:
        if (self.min is None) == (self.max is None):
            raise ValueError("give exactly one of `min` and `max`")
        return self


class PytestCheck(BaseCheck):
    """A pytest test of the project that must run and pass."""

    kind: Literal["test"]
    node: str = Field(pattern=r"^tests/[\w./-]+\.py(::\w+){1,2}$")


class DocumentCheck(BaseCheck):
    """A page whose sections must be filled in and recently reviewed."""

    kind: Literal["document"]
    path: str
    sections: list[Text] = Field(min_length=1)
    reviewed_within_days: int = Field(ge=1)


class ManualCheck(BaseCheck):
    """A question that a person answers and signs."""

    kind: Literal["manual"]
    role: Text


Check = Annotated[
    MetricCheck | PytestCheck | DocumentCheck | ManualCheck, Field(discriminator="kind")
]


class Principle(Settings):
    """A promise of the project, its owner, and the checks of it."""

    statement: Text
    owner: Text
    checks: list[Check]


class Waiver(Settings):
    """A check that may fail until a date."""

    check: Slug
    reason: Annotated[str, Field(min_length=10)]
    owner: Text
    expires: datetime.date


class EthicsConfig(Settings):
    """conf/ethics.yml."""

    principles: dict[str, Principle]
    regulated_signatures: list[Text] = Field(min_length=2, max_length=2)
    waivers: tuple[Waiver, ...] = ()

    @property
    def checks(self) -> list[Check]:
        """The checks of all principles."""
        return [check for principle in self.principles.values() for check in principle.checks]

    @property
    def metrics(self) -> list[MetricCheck]:
        """All checks of kind metric."""
        return [check for check in self.checks if isinstance(check, MetricCheck)]

    @property
    def documents(self) -> list[DocumentCheck]:
        """All checks of kind document."""
        return [check for check in self.checks if isinstance(check, DocumentCheck)]

    @model_validator(mode="after")
    def _check_ids(self) -> EthicsConfig:
        ids = Counter(check.id for check in self.checks)
        for name, count in ids.items():
            if count > 1:
                raise ValueError(f"the id '{name}' is used {count} times; ids must be unique")
        for waiver in self.waivers:
            if waiver.check not in ids:
                raise ValueError(f"`waivers` names '{waiver.check}', which is not a check")
        if len(set(self.regulated_signatures)) < 2:
            raise ValueError("`regulated_signatures` needs two different roles")
        return self


def load(conf: Path, project: Project) -> EthicsConfig:
    """Read conf/ethics.yml; in a regulated project, its two signatures become checks.

    Raises:
        UsageError: a wrong field, or an unknown measure.
    """
    source = conf / FILE
    config = parse(EthicsConfig, read_yaml(source), source)
    known = bounds(project.task)
    for check in config.metrics:
        _check_measure(check, known, f"{source}, check `{check.id}`")
    if not project.regulated:
        return config
    signatures = [
        ManualCheck(
            id="signature-" + "-".join(role.lower().split()),
            asks="May this version decide about people? Signed over all evidence",
            category="oversight",
            kind="manual",
            role=role,
            maps_to=("MEASURE 1.3", "Annex IV 2(e)"),
        )
        for role in config.regulated_signatures
    ]
    regulated = Principle(
        statement="Two people are accountable for a model in a regulated field.",
        owner=" and ".join(config.regulated_signatures),
        checks=list(signatures),
    )
    return config.model_copy(update={"principles": {**config.principles, "regulated": regulated}})


def _check_measure(check: MetricCheck, known: dict[str, Bound], field: str) -> None:
    if check.measure not in known:
        raise UsageError(
            f"{field}, field `measure`: unknown measure '{check.measure}' for this task; "
            f"choose one of {', '.join(sorted(known))}."
        )
    bound = known[check.measure]
    if getattr(check, bound) is None:
        raise UsageError(f"{field}: the measure `{check.measure}` needs a `{bound}`. Add it.")
