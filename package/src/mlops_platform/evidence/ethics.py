"""ethics.json: what `mlops ethics` found, in the shape that the report and an auditor read."""

from __future__ import annotations

from typing import Literal

from mlops_platform.evidence import Part

Word = Literal["passed", "failed", "insufficient evidence"]
Bound = Literal["min", "max"]


class GroupFinding(Part):
    """One group of people, held against all others.

    `value` is the group's own; `distance`, with its interval, is what the limit is on. They are
    None where the group has too few rows, or lacks the cases that the measure needs.
    """

    group: str
    rows: int
    value: float | None = None
    distance: float | None = None
    low: float | None = None
    high: float | None = None
    word: Word = "insufficient evidence"


class Signature(Part):
    """An answer that somebody signed. `evidence` is the SHA-256 of what was signed over."""

    check: str
    role: str
    by: str
    answer: Literal["yes", "no"]
    why: str
    date: str
    evidence: str


class Waived(Part):
    """Who answers for a check that does not hold, why, and until which day."""

    reason: str
    owner: str
    expires: str


class CheckResult(Part):
    """One check of conf/ethics.yml.

    `blocks` says whether a failure stops at this stage of the project; `holds`, whether the check
    passed or is waived. `next` says what to do, and is empty where there is nothing to do.
    """

    id: str
    principle: str
    owner: str
    asks: str
    kind: Literal["metric", "test", "document", "manual"]
    category: str
    maps_to: list[str]
    word: Word
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
    def holds(self) -> bool:
        """Passed, or waived by somebody who answers for it."""
        return self.word == "passed" or self.waived is not None

    @property
    def stops(self) -> bool:
        """Whether the version goes no further because of it."""
        return self.blocks and self.word == "failed" and self.waived is None


class Principle(Part):
    """A principle as conf/ethics.yml states it."""

    name: str
    statement: str
    owner: str


class Ethics(Part):
    """ethics.json.

    `files` are SHA-256 of the run's evidence; `evidence` is one hash over them and over the words
    of all checks that nobody signs: signatures are bound to it. `compliance` is None where the
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
