"""What the tiles are read from, gathered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlops_platform.alerts import config, evaluate, look
from mlops_platform.alerts.config import Alert
from mlops_platform.alerts.evaluate import Verdict
from mlops_platform.core.paths import project_root
from mlops_platform.pipelines import journal
from mlops_platform.pipelines.journal import Entry
from mlops_platform.settings import ENVIRONMENTS, Environment
from mlops_platform.tracking.roles import Version


@dataclass(frozen=True)
class Facts:
    """The project, its versions, steps and alerts; `measured` is empty without a champion.

    `serves` is the version that the endpoint at `url` answers with; empty if it was not asked.
    """

    conf: Path
    now: datetime
    url: str | None
    versions: Sequence[Version]
    steps: list[Entry]
    alerts: Mapping[str, Alert]
    measured: Mapping[str, float | str]
    verdicts: Sequence[Verdict]
    serves: str = ""

    @property
    def root(self) -> Path:
        """The project's folder."""
        return project_root(self.conf)

    @property
    def outputs(self) -> Path:
        """Where the evidence is."""
        return self.root / "outputs"

    @property
    def environments(self) -> list[Environment]:
        """Those that the project has in Azure."""
        return [each for each in ENVIRONMENTS if (self.conf / f"{each}.yml").exists()]

    def holder(self, role: str) -> Version | None:
        """The version that has a role; the latest if several have it."""
        holders = [version for version in self.versions if version.role == role]
        return max(holders, key=lambda version: version.since, default=None)

    @property
    def towards_a_champion(self) -> str:
        """The command that brings a champion."""
        return "uv run poe promote" if self.holder("challenger") else "uv run poe pipeline"

    def has(self, needs: str) -> bool:
        """Whether the project has what a tile needs."""
        if needs == "endpoint":
            watched = any(alert.measure in evaluate.OF_ENDPOINT for alert in self.alerts.values())
            return watched or self.url is not None or (self.conf / "consumers.yml").exists()
        return not needs or bool(self.environments)


def gather(conf: Path, url: str | None, now: datetime) -> Facts:
    """Gather them; with a URL also from a running endpoint.

    Raises:
        UsageError: settings, evidence or journal are damaged, or the URL is no endpoint.
    """
    # MLflow takes a second to import.
    from mlops_platform.tracking.experiments import has_store  # noqa: PLC0415
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    versions = Registry(conf).versions() if has_store(conf) else []
    alerts = config.load(conf) if (conf / "alerts.yml").exists() else {}
    measured: Mapping[str, float | str] = {}
    verdicts: Sequence[Verdict] = []
    counters = None
    if any(version.role == "champion" for version in versions):
        measured, verdicts, counters = look.take(conf, url, alerts, now)
    steps = journal.read(project_root(conf))
    serves = counters.version if counters else ""
    return Facts(conf, now, url, versions, steps, alerts, measured, verdicts, serves)
