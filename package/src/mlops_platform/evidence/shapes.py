"""What the steps write and the gates, the registry and the report read: JSON of one shape each.

`shape` carries the version: a reader refuses a file whose shape it does not know.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of an evidence file."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Finding(Part):
    """One broken rule of the data contract."""

    column: str
    rule: str
    rows: int
    message: str


class Validation(Part):
    """validation.json: did the data keep the contract?"""

    shape: Literal["validation/1"] = "validation/1"
    rows: int
    data_hash: str
    findings: list[Finding]


class Split(Part):
    """split.json: which rows went where. Hashes are of the written files."""

    shape: Literal["split/1"] = "split/1"
    by: str
    seed: int
    data_hash: str
    rows: dict[str, int]
    hashes: dict[str, str]
    description: str


class Training(Part):
    """training.json: one fit, and the constant baseline it had to beat on the validation set.

    `began` is UTC in ISO 8601; `git_dirty` says whether files differed from the commit.
    """

    shape: Literal["training/1"] = "training/1"
    run_id: str
    began: str
    trigger: str
    git_commit: str
    git_dirty: str
    outcome: Literal["trained", "no_better_than_baseline"]
    metric: str
    value: float
    baseline: float
    seconds: float
    seed: int
    parameters: dict


class Verdict(Part):
    """A gate's word on one value. `blocks` is false where the project's stage only reports."""

    gate: str
    passed: bool
    blocks: bool
    value: float | None
    limit: str
    message: str


class Measure(Part):
    """A metric on the test set with its bootstrap interval, and the constant baseline's value.

    The baseline is None where the metric is not defined for a constant.
    """

    name: str
    higher_is_better: bool
    value: float
    low: float | None
    high: float | None
    baseline: float | None


class Group(Part):
    """The deciding metric within one group of a sensitive column; None where rows are too few."""

    column: str
    group: str
    rows: int
    value: float | None
    low: float | None
    high: float | None


class Robustness(Part):
    """The deciding metric after the test set was disturbed; `worse_by` is positive for a loss."""

    name: str
    value: float
    worse_by: float


class Importance(Part):
    """Permutation importance: how much the deciding metric loses, mean and standard deviation."""

    feature: str
    mean: float
    std: float


class CalibrationBin(Part):
    """Rows of one bin of predicted probability (one class) and the share that came true."""

    label: str
    predicted: float
    observed: float
    rows: int


class Evaluation(Part):
    """evaluation.json: the model on the test set."""

    shape: Literal["evaluation/1"] = "evaluation/1"
    run_id: str
    task: Literal["classification", "regression"]
    metric: str
    test_hash: str
    rows: int
    predictions_hash: str
    measures: list[Measure]
    groups: list[Group]
    robustness: list[Robustness]
    importance: list[Importance]
    size_mb: float
    load_seconds: float
    verdicts: list[Verdict]
    labels: list[str]
    confusion: list[list[int]]
    calibration: list[CalibrationBin]
    residuals: list[tuple[float, float]]


class Footprint(Part):
    """What a model costs where it serves; megabytes are 10^6 bytes."""

    size_mb: float
    load_seconds: float
    memory_mb: float
    packages: list[str]


class Comparison(Part):
    """comparison.json: challenger against champion on the same rows.

    `difference` is positive where the challenger is better, whatever the metric's direction; it
    has to reach `margin`. `champion_measures` are all of the champion's metrics, by name.
    Footprints are the challenger's and the champion's.
    """

    shape: Literal["comparison/1"] = "comparison/1"
    decision: Literal["accepted", "rejected"]
    reason: str
    metric: str
    test_hash: str
    champion: str | None
    champion_value: float | None
    champion_measures: dict[str, float]
    challenger_value: float
    margin: float
    difference: float | None
    low: float | None
    high: float | None
    verdicts: list[Verdict]
    footprints: list[Footprint] = []


class Registration(Part):
    """registration.json: what became of the model in the registry."""

    shape: Literal["registration/1"] = "registration/1"
    model: str
    version: str
    role: str
    reason: str
    run_id: str
    new: bool


class ColumnDrift(Part):
    """One column, or the prediction, now and at training.

    `missing_*` are shares of all rows, `then` and `now` shares of the rows with a value, by bin.
    `distance` is Kolmogorov-Smirnov's for numbers, the total variation for categories.
    `new_values` counts the different values that training did not have.
    """

    column: str
    kind: Literal["numeric", "categorical", "prediction"]
    psi: float
    test: Literal["Kolmogorov-Smirnov", "chi-square"]
    distance: float
    p_value: float
    missing_then: float
    missing_now: float
    new_values: int
    bins: list[str]
    then: list[float]
    now: list[float]
    drifted: bool
    reasons: list[str]


class DriftReport(Part):
    """drift.json: today's data against the data that the model was trained on.

    `unknown_columns` stand in the file but not in the model's contract, and were left alone.
    """

    shape: Literal["drift/1"] = "drift/1"
    verdict: Literal["stable", "drift", "insufficient evidence"]
    message: str
    model: str
    version: str
    rows: int
    columns: list[ColumnDrift]
    unknown_columns: list[str] = []


class BatchResult(Part):
    """batch.json: one scored file."""

    shape: Literal["batch/1"] = "batch/1"
    model: str
    version: str
    rows: int
    scored: int
    rejected: int
    seconds: float
    resumed: bool


class Masking(Part):
    """masking.json: a copy of raw data without what identifies people; `left_out` counts rows."""

    shape: Literal["masking/1"] = "masking/1"
    files: int
    rows: int
    left_out: int
    hashed: list[str]
    dropped: list[str]


class Reproduction(Part):
    """The answer of `reproduce`: is a version, made again, the same bit for bit?"""

    shape: Literal["reproduction/1"] = "reproduction/1"
    version: str
    identical: bool
    differences: list[str]
    predictions_hash: str


# By the name of their file, without its ending.
SHAPES: dict[str, type[Part]] = {
    "validation": Validation,
    "split": Split,
    "training": Training,
    "evaluation": Evaluation,
    "comparison": Comparison,
    "registration": Registration,
    "drift": DriftReport,
    "batch": BatchResult,
    "masking": Masking,
    "reproduction": Reproduction,
}
