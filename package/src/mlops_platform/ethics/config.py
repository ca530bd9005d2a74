"""conf/ethics.yml, typed: principles, their checks, waivers. Errors name the file and the field."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection
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
# What stops a version, by the project's stage.
BLOCKING: dict[str, frozenset[str]] = {
    "explore": frozenset(),
    "develop": frozenset({"data", "privacy", "security", "auditability"}),
    "operate": frozenset(Category.__args__),  # type: ignore[attr-defined]
}


class Asked(Settings):
    """What all checks have."""

    id: Slug
    asks: Text
    category: Category
    maps_to: tuple[str, ...] = ()

    @field_validator("maps_to")
    @classmethod
    def _known(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        for item in items:
            if item not in ITEMS:
                raise ValueError(
                    f"'{item}' is no item of deon (`D.2`), NIST AI RMF (`MEASURE 2.11`) or the EU "
                    "AI Act (`Annex IV 2(g)`)"
                )
        return items


class Metric(Asked):
    """A measured value against a limit, by its confidence bound.

    `over` says which groups a measure of groups looks at: those of each sensitive column, or those
    of each pair of columns.
    """

    kind: Literal["metric"]
    measure: str
    min: float | None = None
    max: float | None = None
    over: Literal["columns", "intersections"] = "columns"

    @model_validator(mode="after")
    def _one_bound(self) -> Metric:
        if (self.min is None) == (self.max is None):
            raise ValueError("give exactly one of `min` and `max`")
        return self


class Pytest(Asked):
    """A pytest test of the project that must have run, and passed, now."""

    kind: Literal["test"]
    node: str = Field(pattern=r"^tests/[\w./-]+\.py(::\w+){1,2}$")


class Document(Asked):
    """A page whose sections are filled in, and that somebody has read again lately."""

    kind: Literal["document"]
    path: str
    sections: list[Text] = Field(min_length=1)
    reviewed_within_days: int = Field(ge=1)


class Manual(Asked):
    """A question that only a person can answer, who signs for it."""

    kind: Literal["manual"]
    role: Text


Check = Annotated[Metric | Pytest | Document | Manual, Field(discriminator="kind")]


class Principle(Settings):
    """What the project promises, and who answers for it."""

    statement: Text
    owner: Text
    checks: list[Check]


class Waiver(Settings):
    """A check that need not hold until a day."""

    check: Slug
    reason: Annotated[str, Field(min_length=10)]
    owner: Text
    expires: datetime.date


class Page(Settings):
    """conf/ethics.yml."""

    principles: dict[str, Principle]
    regulated_signatures: list[Text] = Field(min_length=2, max_length=2)
    waivers: tuple[Waiver, ...] = ()

    @property
    def metrics(self) -> list[Metric]:
        """All checks of kind metric."""
        listed = [check for principle in self.principles.values() for check in principle.checks]
        return [check for check in listed if isinstance(check, Metric)]

    @property
    def documents(self) -> list[Document]:
        """All checks of kind document."""
        listed = [check for principle in self.principles.values() for check in principle.checks]
        return [check for check in listed if isinstance(check, Document)]

    @model_validator(mode="after")
    def _consistent(self) -> Page:
        ids = Counter(check.id for each in self.principles.values() for check in each.checks)
        for name, count in ids.items():
            if count > 1:
                raise ValueError(f"the check '{name}' stands {count} times; each needs its own id")
        for waiver in self.waivers:
            if waiver.check not in ids:
                raise ValueError(f"`waivers` names '{waiver.check}', and there is no such check")
        if len(set(self.regulated_signatures)) < 2:
            raise ValueError("`regulated_signatures` needs two different roles")
        return self


def load(conf: Path, project: Project) -> Page:
    """Read conf/ethics.yml; a regulated project gets its two signatures as checks.

    Raises:
        UsageError: a wrong field, or an unknown measure.
    """
    source = conf / FILE
    page = parse(Page, read_yaml(source), source)
    known = bounds(project.task)
    for check in page.metrics:
        _require_measure(check, known, f"{source}, check `{check.id}`")
    if not project.regulated:
        return page
    signed = [
        Manual(
            id="signature-" + "-".join(role.lower().split()),
            asks="May this version decide about people? Signed over all evidence",
            category="oversight",
            kind="manual",
            role=role,
            maps_to=("MEASURE 1.3", "Annex IV 2(e)"),
        )
        for role in page.regulated_signatures
    ]
    both = Principle(
        statement="Two people answer for a model in a regulated field.",
        owner=" and ".join(page.regulated_signatures),
        checks=list(signed),
    )
    return page.model_copy(update={"principles": {**page.principles, "regulated": both}})


def _require_measure(check: Metric, known: dict[str, Bound], field: str) -> None:
    if check.measure not in known:
        raise UsageError(
            f"{field}, field `measure`: there is no measure '{check.measure}' for this task; "
            f"choose {_listed(known)}."
        )
    bound = known[check.measure]
    if getattr(check, bound) is None:
        raise UsageError(f"{field}: `{check.measure}` is held against a `{bound}`. Give one.")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
