"""How a model was made, in the form that supply-chain tools read: in-toto with SLSA's provenance.

https://slsa.dev/spec/v1.0/provenance. The statement is not signed; CI signs the bundle around it.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.tracking import binding

FILE = "provenance.json"
PIPELINE = Path("pipelines") / "train.yml"


def statement(root: Path, run: Path, name: str, ethics: Ethics) -> str:
    """The provenance of the model of a run, whose folder is `run`.

    Raises:
        UsageError: evidence or model of the run is missing.
    """
    validation = evidence.read(
        evidence.Validation, run / "validate" / "evidence" / "validation.json"
    )
    inputs: list[dict[str, Any]] = [
        {"name": "code", "digest": {"gitCommit": ethics.git_commit}},
        {"name": "data", "digest": {"sha256": validation.data_hash}},
    ]
    for path in (PIPELINE, Path("uv.lock")):
        if (root / path).is_file():
            digest = {"sha256": hash_path(root / path)}
            inputs.append({"name": path.as_posix(), "digest": digest})
    version = importlib.metadata.version("mlops-platform")
    content = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": model_hash(run)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:mlops-platform:training-pipeline:1",
                "externalParameters": {"pipeline": PIPELINE.as_posix()},
                "resolvedDependencies": inputs,
            },
            "runDetails": {
                "builder": {"id": f"urn:mlops-platform:{version}"},
                "metadata": {"invocationId": ethics.run_id},
            },
        },
    }
    return json.dumps(content, indent=2) + "\n"


def model_hash(run: Path) -> str:
    """The hash of the run's model, the same as a version of it records.

    Raises:
        UsageError: the run has no model.
    """
    folder = run / "train" / "model"
    if not folder.is_dir():
        raise UsageError(f"{folder}: does not exist. Run `uv run poe pipeline` first.")
    return binding.hash_model(folder)
