"""The software bill of materials of a wheel, an image or a model: CycloneDX 1.5 from uv.lock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_platform.delivery import lock

FILE = "sbom.cdx.json"
# uv calls the format experimental.
FORMAT = ("--format", "cyclonedx1.5", "--preview-features", "sbom-export")


def build(root: Path, groups: Sequence[str], model: dict[str, str] | None = None) -> str:
    """The packages of uv.lock that a project with these groups has, with their hashes.

    `model` adds a model: its `name`, `version` and `sha256`. The same lock gives the same text, so
    it has neither a time nor a serial number.

    Raises:
        UsageError: uv cannot be started, or uv.lock does not match.
    """
    content: dict[str, Any] = json.loads(lock.export(root, groups, *FORMAT))
    content.pop("serialNumber", None)
    content["metadata"].pop("timestamp", None)
    if model:
        content["components"].append(
            {
                "type": "machine-learning-model",
                "bom-ref": f"model-{model['name']}@{model['version']}",
                "name": model["name"],
                "version": model["version"],
                "hashes": [{"alg": "SHA-256", "content": model["sha256"]}],
            }
        )
    return json.dumps(content, indent=2) + "\n"
