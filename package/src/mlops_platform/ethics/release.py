"""Tags with the results of the ethics checks, which promotion and delivery require.

`ethics` is passed or failed, at the stage in `ethics_stage`, for the evidence in
`ethics_evidence`; `ethics_bundle` is the SHA-256 of the manifest of the auditor's bundle.
`compliance` is validated only if every check of a regulated project passed or is waived.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import GateError
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.settings import load_project
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import Version

STAGES = ("explore", "develop", "operate")
NEGATIVE = ("failed", "not validated")
NEXT_STEP = "Run `uv run poe pipeline`, then `uv run poe ethics`, and follow its next steps."
NEXT_STEP_IN_AZURE = (
    "Run `uv run poe azure-ethics {0} --env dev`, follow its next steps, then "
    "`uv run poe share {0} --env dev`."
)


def tag_version(conf: Path, ethics: Ethics, bundle: str) -> Version | None:
    """Write the tags to the run's version; None if the run has no version.

    Negative results are written first: after an interruption, no old positive tag stays beside
    them. At stage `explore` nothing is written.

    Raises:
        UsageError: the registry cannot be reached.
    """
    if ethics.stage == "explore":
        return None
    tags = {
        "ethics_evidence": ethics.evidence,
        "ethics_bundle": bundle,
        "ethics_stage": ethics.stage,
        "ethics": ethics.verdict,
        **({"compliance": ethics.compliance} if ethics.compliance else {}),
    }
    negative_first = sorted(tags.items(), key=lambda tag: tag[1] not in NEGATIVE)
    return Registry(conf).mark(ethics.run_id, dict(negative_first))


def require_passed(conf: Path, version: Version, *, delivery: bool = False) -> None:
    """Require that the ethics checks of a version passed, or are validated if regulated.

    At stage `explore` a version can be promoted without them. With `delivery`, that is before a
    deployment, a regulated project requires validation at every stage.

    Raises:
        GateError: the version is blocked; with the next step.
    """
    project = load_project(conf)
    blocks = project.stage != "explore"
    name, tags = f"version {version.number}", version.tags
    next_step = NEXT_STEP_IN_AZURE.format(version.number) if delivery else NEXT_STEP
    if blocks and tags.get("ethics") != "passed":
        status = tags.get("ethics", "not run")
        raise GateError(f"ethics checks of {name}: {status}. {next_step}")
    if blocks and STAGES.index(_stage(tags)) < STAGES.index(project.stage):
        raise GateError(
            f"ethics checks of {name}: passed at stage {_stage(tags)}, but stage {project.stage} "
            f"has more blocking checks. {next_step}"
        )
    if project.regulated and (blocks or delivery) and tags.get("compliance") != "validated":
        raise GateError(
            f"{name} is not validated, but conf/project.yml has `regulated: true`: every check "
            f"must pass or be waived, and two people must sign. {next_step}"
        )


def _stage(tags: dict[str, str]) -> str:
    stage = tags.get("ethics_stage", "explore")
    return stage if stage in STAGES else "explore"
