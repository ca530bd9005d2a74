"""Decides whether a machine may retrain: one decision, here, in CI and for Azure's events.

Without new labelled rows a training makes the same model again, and one that nobody needs costs
compute and attention. So it needs a reason, new rows, and the cool-down to be over. A person with a
reason may always train. A retraining ends at a challenger; only a person promotes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlops_platform.core.text import pluralize
from mlops_platform.evidence import Retraining

NOTIFIED = ["domain expert", "data engineer"]


@dataclass(frozen=True)
class NewRows:
    """Labelled rows that the last training did not have.

    `count` is None where they cannot be counted, as without ids; then `changed` tells whether the
    data is other data. `unknown` says why neither is known.
    """

    count: int | None = None
    changed: bool = False
    unknown: str = ""

    def enough(self, least: int) -> bool:
        """Whether a training would learn something."""
        return self.count >= least if self.count is not None else self.changed

    def lack(self, least: int) -> str:
        """What is missing, where there are not enough."""
        if self.count:
            needed = pluralize(least, "new labelled row")
            return f"{needed}: there are {self.count} since the last training"
        if self.count == 0:
            return "new labelled rows: there are none since the last training"
        if self.unknown:
            return f"new labelled rows: {self.unknown}"
        return "new labelled rows: the data is that of the last training"


def broken(tags: Mapping[str, str]) -> str:
    """Why a version is broken on real outcomes, as its tags say; empty if it is not."""
    return tags.get("truth_why", "broken") if tags.get("truth") == "broken" else ""


def decide(
    *, drift: str, truth: str, new: NewRows, least: int, wait: str, manual_command: str
) -> Retraining:
    """Decide on a retraining, and say what is missing.

    Args:
        drift: what drifted; empty if nothing did.
        truth: why the champion is broken on real outcomes; empty if it is not.
        new: labelled rows since the last training.
        least: how many of them a training needs.
        wait: why the cool-down is not over; empty if it is.
        manual_command: the command with which a person trains all the same.
    """
    reasons = [text for text in (_of("drift", drift), _of("real outcomes", truth)) if text]
    missing = [] if reasons else ["a reason: neither drift nor a broken verdict on real outcomes"]
    if not new.enough(least):
        missing.append(new.lack(least))
    if wait:
        missing.append(f"the end of the cool-down: {wait}")
    if not missing:
        return Retraining(
            decision="train",
            trigger="; ".join(reasons),
            reasons=reasons,
            missing=[],
            notify=[],
            message=f"retraining for {' and '.join(reasons)}; it ends at a challenger",
        )
    return Retraining(
        decision="notify",
        trigger="",
        reasons=reasons,
        missing=missing,
        notify=NOTIFIED if reasons else [],
        message=_message(reasons, missing, manual_command),
    )


def _of(name: str, text: str) -> str:
    return f"{name}: {text}" if text else ""


def _message(reasons: Sequence[str], missing: Sequence[str], manual_command: str) -> str:
    found = f"Found: {'; '.join(reasons)}. " if reasons else ""
    tell = f"Tell the {' and the '.join(NOTIFIED)}. " if reasons else ""
    return (
        f"no retraining. {found}Missing: {'; '.join(missing)}. {tell}"
        f"A person may train at any time: `{manual_command}`."
    )
