"""A look at the alerts: measures now, judges, and remembers what the next look needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mlops_platform.alerts import evaluate, scrape, state
from mlops_platform.alerts.config import Alert
from mlops_platform.alerts.evaluate import Verdict
from mlops_platform.alerts.scrape import Counters
from mlops_platform.core.paths import STATE, project_root


class Look(NamedTuple):
    """What was measured, and the alerts' verdicts; no counters if no endpoint answered."""

    measured: Mapping[str, float | str]
    verdicts: list[Verdict]
    counters: Counters | None


def take(conf: Path, url: str | None, alerts: Mapping[str, Alert], now: datetime) -> Look:
    """Look at the champion and, with a URL, at its endpoint.

    Raises:
        UsageError: there is no champion, or the URL is no endpoint.
    """
    kept = project_root(conf) / STATE / "alerts.json"
    memory = evaluate.load(kept)
    counters = scrape.read(url) if url else None
    of_endpoint = evaluate.measure(counters, memory, now) if url else evaluate.UNASKED
    measured = of_endpoint | state.of_champion(conf, now)
    verdicts = evaluate.judge(alerts, measured, memory, now)
    evaluate.keep(evaluate.remember(verdicts, counters, memory, now, asked=bool(url)), kept)
    return Look(measured, verdicts, counters)
