"""Events as Event Grid delivers them, after Microsoft's samples."""

from typing import Any

from mlops_platform.events import parse
from mlops_platform.events.decide import BREACH

NAME = "credit-risk"
FOUND = "monitor_data_drift has failed due to one or more features violating metric thresholds"
DATA: dict[str, dict[str, Any]] = {
    "ModelRegistered": {"ModelName": NAME, "ModelVersion": 1},
    "ModelDeployed": {"ServiceName": "loans", "ModelIds": f"{NAME}:1"},
    "RunCompleted": {"runId": "a"},
    "RunStatusChanged": {"runId": "a", "runStatus": "Failed", "runTags": {}},
    "DatasetDriftDetected": {"DriftCoefficient": 0.8},
}


def make(kind: str, number: str = "e1", **data: Any) -> dict[str, Any]:
    """An event as Event Grid delivers it."""
    return {
        "topic": "/subscriptions/s/resourceGroups/g/providers/workspaces/w",
        "subject": "models/credit-risk:1",
        "eventType": f"{parse.PREFIX}{kind}",
        "eventTime": "2026-05-08T12:00:00.9584103Z",
        "id": number,
        "data": DATA[kind] | data,
        "dataVersion": "",
        "metadataVersion": "1",
    }


def breach(number: str = "e1", **data: Any) -> dict[str, Any]:
    return make("RunStatusChanged", number, runTags={BREACH: FOUND}, **data)


REGISTERED = make("ModelRegistered")
