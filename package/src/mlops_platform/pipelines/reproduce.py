"""Reproduces a registered version and compares it bit by bit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.core.paths import project_root
from mlops_platform.data.contract import load_contract
from mlops_platform.models import rows, team
from mlops_platform.pipelines import load, runner
from mlops_platform.tracking import experiments, provenance
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import Version

SOURCES = {
    "code_hash": "the code in src/",
    "conf_hash": "the settings in conf/",
    "data_hash": "the data",
    "lock_hash": "the packages in uv.lock",
}


def run(conf: Path, number: str, *, pipeline: Path, invoke: runner.Invoke) -> evidence.Reproduction:
    """Train the version again from the local files; compare its metrics and predictions.

    Nothing is checked out and nothing is registered.

    Raises:
        UsageError: the local files are not its sources; the message says what differs, and what
            to do.
    """
    version = Registry(conf).get(number)
    _require_same_sources(version, conf, pipeline)
    root = project_root(conf)
    with tempfile.TemporaryDirectory() as scratch:
        folders = runner.run(
            pipeline,
            root=root,
            outputs=Path(scratch),
            invoke=invoke,
            overrides={"trigger": f"reproduce version {number}"},
            until="evaluate",
        )
        evaluation = evidence.read(
            evidence.Evaluation, folders["evaluate"] / "evidence" / "evaluation.json"
        )
    differences = [
        f"{measure.name}: was {recorded}, is {measure.value!r}"
        for measure in evaluation.measures
        if (recorded := version.tags.get(f"test_{measure.name}", "unknown")) != repr(measure.value)
    ]
    if evaluation.predictions_hash != version.tags.get("predictions_hash"):
        differences.append("predictions on the test set differ in at least one bit")
    return evidence.Reproduction(
        version=number,
        identical=not differences,
        differences=differences,
        predictions_hash=evaluation.predictions_hash,
    )


def _require_same_sources(version: Version, conf: Path, pipeline: Path) -> None:
    raw = load(pipeline).inputs.get("raw")
    if not isinstance(raw, Path):
        raise UsageError(f"{pipeline}, field `inputs`: no `raw`, so it registered no version.")
    code = team.load_team(conf)
    current = {**provenance.collect(conf, code.folder), "data_hash": _data_hash(conf, raw, code)}
    differing = [
        name for tag, name in SOURCES.items() if current[tag] != version.tags.get(tag, "unknown")
    ]
    if not differing:
        return
    commit = version.tags.get("git_commit", "unknown")
    message = f"version {version.number} cannot be reproduced here: {', '.join(differing)} "
    message += "is" if len(differing) == 1 else "are"
    message += " not what it was made from. "
    if commit == "unknown":
        message += "It was trained outside of git, so there is no commit to check out."
    elif version.tags.get("git_dirty") == "true":
        message += f"It was trained with changes that were not committed on top of {commit}."
    else:
        message += (
            f"Check out its commit, then try again there: `git worktree add ../version-"
            f"{version.number} {commit}`, with MLFLOW_TRACKING_URI={experiments.store_uri(conf)}"
        )
    raise UsageError(message)


def _data_hash(conf: Path, raw: Path, code: team.Team) -> str:
    """As `prepare` computes it: of a database, the rows count."""
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    content = rows.ContentHash(raw, contract, code)
    if content.of_rows:
        for chunk in rows.training_chunks(raw, contract, code):
            content.add(chunk)
    return content.value()
