"""Asks registry and runs what is so now, before an event is acted on."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.events.decide import Facts
from mlops_platform.events.parse import Event
from mlops_platform.pipelines.outputs import RUN, latest
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry


def collect(conf: Path, outputs: Path, event: Event) -> Facts:
    """What this machine's registry and runs say of the versions or the run of an event.

    Raises:
        UsageError: the registry cannot be read.
    """
    if event.kind in ("ModelRegistered", "ModelDeployed"):
        versions = Registry(conf).versions() if experiments.has_store(conf) else []
        return Facts(roles={version.number: version.role for version in versions})
    pipeline, run = event.inner("runProperties", "pipeline"), RUN.fullmatch(event.text("runId"))
    last = latest(outputs / pipeline) if run and pipeline.isidentifier() else None
    if run is None or last is None or int(last.name.partition("-")[2]) <= int(run[1]):
        return Facts()
    return Facts(passed_since=last.name)
