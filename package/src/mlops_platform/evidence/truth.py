"""Shape of truth.json: versions judged on outcomes that came later."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlops_platform.evidence.shapes import Group, Part

TruthVerdict = Literal["holds", "doubtful", "broken", "not yet"]


class Period(Part):
    """The predictions of one version in a period, and how many of them have an outcome.

    Rows that the version has seen before, and repeated ids, do not count. `known_from` is a date in
    ISO 8601. `why_not` is empty for a period that may be judged.
    """

    period: str
    predictions: int
    labelled: int
    known_from: str
    why_not: str = ""


class VersionTruth(Part):
    """One version, judged on a window of periods, beside its test set.

    `value` is the primary metric, with a bootstrap interval; `test` that of the test set, with the
    interval that was recorded then, if it was, and its `spread` over `blocks` of time. `worse_by`
    is how much worse than on the test set, positive for a loss whatever the metric's direction;
    its interval has all of this in it. `missing` says what a verdict needs, where there is none.
    `rows` are those of the window; `sampled` of them were drawn for the metric.
    """

    version: str
    role: str
    verdict: TruthVerdict
    message: str
    missing: list[str] = Field(default_factory=list)
    window: list[str] = Field(default_factory=list)
    rows: int = 0
    sampled: int = 0
    known: int = 0
    value: float | None = None
    low: float | None = None
    high: float | None = None
    test: float | None = None
    test_low: float | None = None
    test_high: float | None = None
    spread: float | None = None
    blocks: int = 0
    worse_by: float | None = None
    worse_low: float | None = None
    worse_high: float | None = None
    groups: list[Group] = Field(default_factory=list)
    periods: list[Period] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class TruthReport(Part):
    """truth.json: what became of predictions.

    Numbers of rows. Of the predictions, `without_id` cannot be judged and `repeated` ids count
    once. Of the labels, `duplicates` say the same again, `contradictions` are ids with several
    outcomes and `unknown` ids without a prediction; `invalid` outcomes cannot be read, `pending`
    rows have none yet, `new` ids were in no part of the last training (None if that is not known).
    `unread` are collected records that no prediction can be taken from.
    """

    shape: Literal["truth/1"] = "truth/1"
    model: str
    as_of: str
    metric: str
    higher_is_better: bool
    confidence: float
    limit: str
    predictions: int
    without_id: int
    repeated: int
    unread: int
    labels: int
    duplicates: int
    contradictions: int
    unknown: int
    invalid: int
    pending: int
    labels_without_id: int
    new: int | None
    versions: list[VersionTruth]
