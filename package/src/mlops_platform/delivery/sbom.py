"""The software bill of materials of a wheel, an image or a model: CycloneDX 1.5 from uv.lock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError

FILE = "sbom.cdx.json"
# uv calls the format experimental; a lock whose packages do not match pyproject.toml is refused.
EXPORT = ("uv", "export", "--quiet", "--locked", "--no-default-groups", "--format", "cyclonedx1.5")
PREVIEW = ("--preview-features", "sbom-export")


def build(root: Path, groups: Sequence[str], model: dict[str, str] | None = None) -> str:
    """The packages of uv.lock that a project with these groups has, with their hashes.

    `model` adds a model: its `name`, `version` and `sha256`. The same lock gives the same text, so
    it has neither a time nor a serial number.

    Raises:
        UsageError: uv is missing, or uv.lock does not match.
    """
    options = [option for group in groups for option in ("--group", group)]
    try:
        process = subprocess.run(
            [*EXPORT, *PREVIEW, *options],
            cwd=root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"uv cannot be started ({error}). Install uv.") from None
    if process.returncode != 0:
        raise UsageError(
            f"uv.lock cannot be exported: {process.stderr.strip()}\nRun `uv lock`, commit uv.lock, "
            "then try again."
        )
    content: dict[str, Any] = json.loads(process.stdout)
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
