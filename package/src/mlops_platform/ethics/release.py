"""What the ethics of a version say of its way to production: tags that `promote` and delivery read.

`ethics` is passed or failed, at the stage in `ethics_stage`, over the evidence in
`ethics_evidence`; `ethics_bundle` is the SHA-256 of the manifest of the auditor's bundle.
`compliance` is validated only where every check of a regulated project holds.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import GateError
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.settings import load_project
from mlops_platform.tracking.registry import Registry, Version

STAGES = ("explore", "develop", "operate")
BAD = ("failed", "not validated")
HOW = "Run `uv run poe pipeline`, then `uv run poe ethics`, and do what it says."
HOW_IN_AZURE = (
    "Run `uv run poe azure-ethics {0} --env dev`, do what it says, then "
    "`uv run poe share {0} --env dev`."
)


def record(conf: Path, found: Ethics, bundle: str) -> Version | None:
    """Write the tags to the run's version; what is bad first, so that no yes outlives its no.

    While a project explores, nothing is written. None where the run made no version.

    Raises:
        UsageError: the registry cannot be reached.
    """
    if found.stage == "explore":
        return None
    tags = {
        "ethics_evidence": found.evidence,
        "ethics_bundle": bundle,
        "ethics_stage": found.stage,
        "ethics": found.verdict,
        **({"compliance": found.compliance} if found.compliance else {}),
    }
    bad_first = sorted(tags.items(), key=lambda tag: tag[1] not in BAD)
    return Registry(conf).mark(found.run_id, dict(bad_first))


def require(conf: Path, version: Version, *, delivery: bool = False) -> None:
    """Refuse a version whose ethics did not pass; one of a regulated project must be validated.

    While a project explores, versions become champion here without it. `delivery`, to where people
    meet the model, asks at every stage of a regulated project.

    Raises:
        GateError: the version goes no further; says what to do.
    """
    project = load_project(conf)
    blocks = project.stage != "explore"
    name, tags = f"version {version.number}", version.tags
    how = HOW_IN_AZURE.format(version.number) if delivery else HOW
    if blocks and tags.get("ethics") != "passed":
        said = tags.get("ethics", "not looked at")
        raise GateError(f"the ethics of {name} are {said}. {how}")
    if blocks and STAGES.index(_stage(tags)) < STAGES.index(project.stage):
        raise GateError(
            f"the ethics of {name} passed at stage {_stage(tags)}, and more blocks at "
            f"{project.stage}. {how}"
        )
    if project.regulated and (blocks or delivery) and tags.get("compliance") != "validated":
        raise GateError(
            f"{name} is not validated, and conf/project.yml says `regulated: true`: every check "
            f"must pass or be waived, and two people sign. {how}"
        )


def _stage(tags: dict[str, str]) -> str:
    stage = tags.get("ethics_stage", "explore")
    return stage if stage in STAGES else "explore"
