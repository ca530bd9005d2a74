"""The schema of ethics.json, the result of `mlops ethics`."""

from __future__ import annotations

from typing import Literal

from mlops_platform.evidence import Part

CheckVerdict = Literal["passed", "failed", "insufficient evidence"]
Bound = Literal["min", "max"]


class GroupFinding(Part):
    """One group of people, compared with all others.

    `value` is the value within the group; `distance`, with its interval, is compared with the
    limit. They are None if the group has too few rows or the measure is not defined for it. `word`
    is the verdict.
    """

    group: str
    rows: int
    value: float | None = None
    distance: float | None = None
    low: float | None = None
    high: float | None = None
    word: CheckVerdict = "insufficient evidence"


class Signature(Part):
    """A signed answer. `evidence` is the SHA-256 of the evidence that was signed."""

    check: str
    role: str
    by: str
    answer: Literal["yes", "no"]
    why: str
    date: str
    evidence: str


class Waived(Part):
    """The waiver of a failed check: its reason, owner and last day."""

    reason: str
    owner: str
    expires: str


class CheckResult(Part):
    """The result of one check in conf/ethics.yml.

    `word` is the verdict. `blocks` tells whether a failure blocks a version at the project's stage.
    `next` is the next step, empty if there is none.
    """

    id: str
    principle: str
    owner: str
    asks: str
    kind: Literal["metric", "test", "document", "manual"]
    category: str
    maps_to: list[str]
    word: CheckVerdict
    blocks: bool
    message: str
    groups: list[GroupFinding]
    next: str = ""
    measure: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: str = ""
    rows: int | None = None
    signature: Signature | None = None
    waived: Waived | None = None

    @property
    def accepted(self) -> bool:
        """Whether the check passed or is waived."""
        return self.word == "passed" or self.waived is not None

    @property
    def blocking(self) -> bool:
        """Whether the check blocks the version."""
        return self.blocks and self.word == "failed" and self.waived is None


class Principle(Part):
    """A principle from conf/ethics.yml."""

    name: str
    statement: str
    owner: str


class Ethics(Part):
    """ethics.json.

    `files` are the SHA-256 of the run's evidence; `evidence` is one hash over them and over the
    verdicts of all checks without a signature: signatures refer to it. `compliance` is None if the
    project is not regulated.
    """

    shape: Literal["ethics/1"] = "ethics/1"
    made: str
    run_id: str
    git_commit: str
    stage: str
    regulated: bool
    verdict: Literal["passed", "failed"]
    compliance: Literal["validated", "not validated"] | None
    evidence: str
    files: dict[str, str]
    versions: dict[str, str]
    confidence: float
    resamples: int
    min_group_rows: int
    principles: list[Principle]
    checks: list[CheckResult]
