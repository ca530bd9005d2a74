"""What the last evidence says of the version that serves."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from mlops_platform import evidence
from mlops_platform.core.paths import project_root
from mlops_platform.models import artifact
from mlops_platform.pipelines.outputs import newest
from mlops_platform.serving import store

DRIFT = {"stable": 0.0, "drift": 1.0}
TRUTH = {"holds": 0.0, "doubtful": 1.0, "broken": 2.0}
Shape = TypeVar("Shape", evidence.DriftReport, evidence.TruthReport)
NO_DATE = "an earlier release trained it, and kept no date"


class Lack(NamedTuple):
    """Why there is no verdict yet, and the command that brings it."""

    why: str
    command: str

    def __str__(self) -> str:
        """Both, for people."""
        return f"{self.why}: `{self.command}`"


NO_DRIFT = Lack("the monitor has not judged this version", "uv run poe monitor")


def no_truth(conf: Path, version: str) -> Lack:
    """What a verdict of late labels needs first; `poe truth` judges predictions that are kept."""
    # Arrow is slow to import, and the endpoint's verdicts do not need it.
    from mlops_platform.truth.ledger import Ledger  # noqa: PLC0415

    if Ledger.of(conf).has(version):
        return Lack("late labels have not judged this version", "uv run poe truth")
    scores = (project_root(conf) / "pipelines" / "batch.yml").is_file()
    why = f"no prediction of version {version} is kept yet, score new rows with it first"
    return Lack(why, "uv run poe batch --input data=PATH" if scores else "uv run poe serve")


def verdicts(outputs: Path, version: str) -> dict[str, float]:
    """The measures that evidence in `outputs` has for a version; none of another version's."""
    found = {}
    drift, truth = drift_of(outputs, version), truth_of(outputs, version)
    if drift and drift.verdict in DRIFT:
        found["drift"] = DRIFT[drift.verdict]
    if truth and truth.verdict in TRUTH:
        found["truth"] = TRUTH[truth.verdict]
    return found


def drift_of(outputs: Path, version: str) -> evidence.DriftReport | None:
    """The last monitor, if it was of this version."""
    drift = _last(outputs / "monitor", "drift/evidence/drift.json", evidence.DriftReport)
    return drift if drift and drift.version == version else None


def truth_of(outputs: Path, version: str) -> evidence.VersionTruth | None:
    """What late labels said of this version, when they were last asked."""
    truth = _last(outputs / "truth", "judge/evidence/truth.json", evidence.TruthReport)
    judged = [each for each in truth.versions if each.version == version] if truth else []
    return judged[0] if judged else None


def _last(home: Path, name: str, shape: type[Shape]) -> Shape | None:
    """The evidence of the last run of a pipeline; None without a run."""
    run = newest(home)
    return evidence.read(shape, run / name) if run and (run / name).is_file() else None


def of_champion(conf: Path, now: datetime) -> dict[str, float | str]:
    """The measures of the champion; a text says what is missing.

    Raises:
        UsageError: there is no champion.
    """
    stored = store.fetch(conf, "champion")
    trained = artifact.load_card(stored.folder).trained
    age = (now - trained) / timedelta(days=1) if trained else NO_DATE
    outputs, version = project_root(conf) / "outputs", stored.version
    drift, truth = drift_of(outputs, version), truth_of(outputs, version)
    lacking = {
        "drift": _undecided(drift) if drift else str(NO_DRIFT),
        "truth": _undecided(truth) if truth else str(no_truth(conf, version)),
    }
    return {"model_age_days": age, **lacking} | verdicts(outputs, version)


def _undecided(found: evidence.DriftReport | evidence.VersionTruth) -> str:
    return f"{found.verdict}: {found.message}"
