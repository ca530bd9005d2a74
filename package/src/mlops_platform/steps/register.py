"""Registers a version of the model: as challenger if it was accepted, else as rejected."""

from __future__ import annotations

from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.evaluation import suspicion
from mlops_platform.models import artifact
from mlops_platform.tracking import binding, experiments, promised
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import FINDINGS, MODEL_HASH, Role, Version


def run(conf: Path, model: Path, evaluation: Path, comparison: Path, out: Path) -> None:
    """Write `out/registration.json`. Never makes a champion: a person does that with `promote`.

    Raises:
        UsageError: the run's stored model is not the one that was evaluated.
    """
    card = artifact.load_card(model)
    measured = evidence.read(evidence.Evaluation, evaluation / "evaluation.json")
    compared = evidence.read(evidence.Comparison, comparison / "comparison.json")
    registry = Registry(conf)
    before = registry.versions()
    role: Role = "challenger" if compared.decision == "accepted" else "rejected"
    run_tags = experiments.run(conf, card.run_id).data.tags
    tags = {
        key: run_tags.get(key, "unknown")
        for key in (
            "git_commit",
            "git_dirty",
            "code_hash",
            "conf_hash",
            "lock_hash",
            "data_hash",
            "test_hash",
            "seed",
            "trigger",
        )
    }
    if "job" in run_tags:
        tags["job"] = run_tags["job"]
    tags |= {
        "metric": compared.metric,
        "predictions_hash": measured.predictions_hash,
        MODEL_HASH: _hash_of_both(conf, card.run_id, model),
        "regulated": str(settings.load_project(conf).regulated).lower(),
        **_findings(measured, card.run_id, before),
        **{f"test_{measure.name}": repr(measure.value) for measure in measured.measures},
        **promised.to_tags(measured),
    }
    version = registry.register(card.run_id, role, tags, compared.reason)
    new = version.number not in {each.number for each in before}
    evidence.write(
        evidence.Registration(
            model=registry.name,
            version=version.number,
            role=version.role,
            reason=compared.reason
            if new
            else f"already registered, and {version.role}: {version.tags.get('role_why', '')}",
            run_id=card.run_id,
            new=new,
        ),
        out / "registration.json",
    )


def _findings(measured: evidence.Evaluation, run_id: str, before: list[Version]) -> dict[str, str]:
    """What a person looks at before `promote`."""
    found = [each.message for each in suspicion.among(measured.verdicts)]
    found += [
        f"it predicts exactly as version {each.number}, which was rolled back: "
        f"{each.tags.get('role_why', 'no reason given')}"
        for each in before
        if each.role == "rolled_back"
        and each.run_id != run_id
        and each.tags.get("predictions_hash") == measured.predictions_hash
    ]
    return {FINDINGS: "; ".join(found)} if found else {}


def _hash_of_both(conf: Path, run_id: str, model: Path) -> str:
    """The hash of the evaluated model, which the run's stored model must have, too."""
    evaluated = binding.hash_model(model)
    with experiments.files(conf, run_id, "model") as stored:
        if (found := binding.hash_model(stored)) != evaluated:
            raise UsageError(
                f"{model}: is not the model of its run {run_id}. The hash of its files is "
                f"{evaluated}, the run has {found}. Run `uv run poe pipeline` again."
            )
    return evaluated
