"""conf/alerts.yml: which measure makes an alert from which limit on, and whom it tells."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from mlops_platform import settings
from mlops_platform.alerts.measures import MEASURES, Measure
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

NAME = r"^[A-Z][A-Za-z0-9]{2,39}$"
DURATION = re.compile(r"(\d{1,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Alert(settings.Settings):
    """One alert: it fires when the measure has been above the limit for so long.

    A `page` also reaches who is on call; a `ticket` waits for the next morning.
    """

    measure: str
    above: float = Field(ge=0, allow_inf_nan=False)
    lasting: str = Field(alias="for", pattern=rf"^{DURATION.pattern}$")
    severity: Literal["page", "ticket"]
    role: settings.Role

    @field_validator("measure")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in MEASURES:
            raise ValueError(f"unknown measure '{name}'; choose one of {', '.join(MEASURES)}")
        return name

    @property
    def of(self) -> Measure:
        """What it watches."""
        return MEASURES[self.measure]

    @property
    def duration(self) -> timedelta:
        """How long the measure must be above the limit."""
        found = DURATION.fullmatch(self.lasting)
        assert found is not None
        return timedelta(**{UNITS[found[2]]: int(found[1])})


class Alerts(settings.Settings):
    """The file."""

    alerts: dict[Annotated[str, Field(pattern=NAME)], Alert]


def load(conf: Path) -> dict[str, Alert]:
    """Read conf/alerts.yml: alerts by name.

    Raises:
        UsageError: no file, a fault in it, or a role that conf/team.yml gives to nobody.
    """
    source = conf / "alerts.yml"
    if not source.exists():
        raise UsageError(
            f"{source}: does not exist, so this project has no alerts. Add it: "
            "`uv run poe template-update`."
        )
    alerts = settings.parse(Alerts, read_yaml(source), source).alerts
    members = settings.load_team(conf).roles
    for name, alert in alerts.items():
        if alert.role not in members:
            raise UsageError(
                f"{source}, field `alerts.{name}.role`: nobody in {conf / 'team.yml'} is "
                f"{alert.role}. Add the role there, or choose one of {', '.join(members)}."
            )
    return alerts
