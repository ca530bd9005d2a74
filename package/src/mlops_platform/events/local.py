"""Writes events of this machine into `.mlops/events/`, in the form of Azure ML's.

So what a monitor, a training or a promotion leads to can be seen without a cloud.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_platform.core.files import write_text
from mlops_platform.core.paths import STATE
from mlops_platform.events.decide import BREACH
from mlops_platform.events.parse import PREFIX, Kind

FOLDER = Path(STATE, "events")
KEPT = 100
BREACHING = ("monitor", "truth")  # pipelines whose failed gate is a finding on the model


def registered(root: Path, project: str, number: str, run_id: str) -> None:
    """A version was registered; said again, it is the same event."""
    data = {"ModelName": project, "ModelVersion": number}
    event = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{project}/{number}/{run_id}"))
    _write(root, project, "ModelRegistered", f"models/{project}:{number}", data, number=event)


def deployed(root: Path, project: str, number: str) -> None:
    """A version serves from now on."""
    data = {"ServiceName": project, "ModelIds": f"{project}:{number}"}
    _write(root, project, "ModelDeployed", f"endpoints/{project}", data)


def failed(root: Path, project: str, pipeline: str, run: str, *, finding: str = "") -> None:
    """A run failed; `finding` is what a monitor found on the model."""
    data = {
        "experimentName": project,
        "runId": run,
        "runStatus": "Failed",
        "runTags": {"project": project} | ({BREACH: finding} if finding else {}),
        "runProperties": {"pipeline": pipeline},
    }
    _write(root, project, "RunStatusChanged", f"experiments/{project}/runs/{run}", data)


def _write(
    root: Path, project: str, kind: Kind, subject: str, data: Mapping[str, Any], *, number: str = ""
) -> None:
    at, number, folder = datetime.now(UTC), number or str(uuid.uuid4()), root / FOLDER
    if any(folder.glob(f"*-{number}.json")):
        return
    event = {
        "id": number,
        "topic": project,
        "subject": subject,
        "eventType": f"{PREFIX}{kind}",
        "eventTime": at.isoformat(),
        "data": data,
        "dataVersion": "",
        "metadataVersion": "1",
    }
    path = folder / f"{at:%Y%m%dT%H%M%S%f}-{kind}-{number}.json"
    write_text(path, json.dumps(event, indent=2) + "\n")
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)
