"""conf/truth.yml: what is kept of predictions, and where their outcomes come from."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from mlops_platform.core.files import read_yaml
from mlops_platform.data.source import Source
from mlops_platform.settings import Settings, Share, parse

FILE = "truth.yml"
Span = Literal["day", "month"]


class Truth(Settings):
    """conf/truth.yml. Without the file, as here: the endpoint keeps nothing.

    `labels` is a file or folder with id and target, written as `source` says, or else as
    conf/data.yml does. An outcome is known `horizon_days` after the end of its period; a period is
    judged if outcomes cover at least the share `coverage` of its predictions. A verdict needs
    `min_rows` rows. `why_none` says why outcomes never come, where they do not.
    """

    endpoint: bool = False
    days: int = Field(default=400, ge=1, le=36_500)
    labels: str = "data/raw"
    source: Source | None = None
    period: Span = "month"
    horizon_days: int = Field(default=30, ge=0, le=3650)
    coverage: Share = Field(default=0.8, gt=0, le=1)
    min_rows: int = Field(default=200, ge=30)
    why_none: str = ""

    def period_of(self, when: date | datetime) -> str:
        """The name of the period in which a prediction lies: `2026-11-29`, or `2026-11`."""
        return when.isoformat()[: len("2026-11-29" if self.period == "day" else "2026-11")]

    def known_from(self, period: str) -> date:
        """The day from which the outcomes of a period are known."""
        return _later(end_of(period), self.horizon_days)


def load(conf: Path) -> Truth:
    """Read conf/truth.yml; projects of before do not have it."""
    path = conf / FILE
    if conf.is_dir() and not path.exists():
        return Truth()
    return parse(Truth, read_yaml(path), path)


def start_of(period: str) -> date:
    """The first day of a period."""
    return date.fromisoformat(period if len(period) > len("2026-11") else f"{period}-01")


def end_of(period: str) -> date:
    """The first day after a period; its name tells whether it is a day or a month."""
    first = start_of(period)
    if len(period) > len("2026-11"):
        return _later(first, 1)
    following = _later(first, 31)
    return following if following == date.max else following.replace(day=1)


def _later(day: date, days: int) -> date:
    """A later day, at most the last one there is: people write 9999-12-31 for what has no end."""
    return day + timedelta(days=min(days, (date.max - day).days))
