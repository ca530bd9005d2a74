"""Schemas of the evidence files that steps write and gates, registry and report read.

`shape` contains the version: reading a file with an unknown shape is an error.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base class of evidence files and their parts."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Finding(Part):
    """One violated rule of the data contract."""

    column: str
    rule: str
    rows: int
    message: str


class Validation(Part):
    """validation.json: the violations of the data contract."""

    shape: Literal["validation/1"] = "validation/1"
    rows: int
    data_hash: str
    findings: list[Finding]


class Split(Part):
    """split.json: the number of rows in each part. Hashes are of the written files."""

    shape: Literal["split/1"] = "split/1"
    by: str
    seed: int
    data_hash: str
    rows: dict[str, int]
    hashes: dict[str, str]
    description: str


class Training(Part):
    """training.json: one fit, compared with a constant baseline on the validation set.

    `began` is UTC in ISO 8601; `git_dirty` tells whether files differed from the commit.
    `threshold` is the probability from which the positive class is decided, `threshold_from` how it
    was chosen. `findings` are sentences on what a person should look at.
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
    parameters: dict[str, Any]
    threshold: float | None = None
    threshold_from: str = ""
    findings: list[str] = []


class Verdict(Part):
    """The verdict of a gate on one value. `blocks` is false if the project's stage only reports."""

    gate: str
    passed: bool
    blocks: bool
    value: float | None
    limit: str
    message: str


class Measure(Part):
    """A metric on the test set with its bootstrap interval and the value of a constant baseline.

    The baseline is None if the metric is not defined for a constant.
    """

    name: str
    higher_is_better: bool
    value: float
    low: float | None
    high: float | None
    baseline: float | None


class Group(Part):
    """The primary metric in one group of a sensitive column; None if it has too few rows."""

    column: str
    group: str
    rows: int
    value: float | None
    low: float | None
    high: float | None


class Robustness(Part):
    """The primary metric on a perturbed test set; `worse_by` is positive for a loss."""

    name: str
    value: float
    worse_by: float


class Importance(Part):
    """Permutation importance: the loss of the primary metric, mean and standard deviation."""

    feature: str
    mean: float
    std: float


class CalibrationBin(Part):
    """One bin of predicted probabilities of a class, with the observed share of the class."""

    label: str
    predicted: float
    observed: float
    rows: int


class Evaluation(Part):
    """evaluation.json: the model on the test set.

    `load_seconds` is in files of releases before 1.1: `compare` measures it, beside the champion's.
    `spread` is the standard deviation of the primary metric over `blocks` of time, beyond chance;
    None without a time, or with too few rows.
    """

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
    load_seconds: float | None = None
    verdicts: list[Verdict]
    labels: list[str]
    confusion: list[list[int]]
    threshold: float | None = None
    calibration: list[CalibrationBin]
    residuals: list[tuple[float, float]]
    spread: float | None = None
    blocks: int = 0


class Footprint(Part):
    """The size, load time, memory and packages of a model; megabytes are 10^6 bytes."""

    size_mb: float
    load_seconds: float
    memory_mb: float
    packages: list[str]


class Comparison(Part):
    """comparison.json: challenger and champion compared on the same rows.

    `difference` is positive if the challenger is better, whatever the metric's direction; it must
    be at least `margin`. `champion_measures` are the champion's metrics by name. `footprints` has
    the challenger's footprint, then the champion's if there is one.
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
    """registration.json: the version and role of the model in the registry."""

    shape: Literal["registration/1"] = "registration/1"
    model: str
    version: str
    role: str
    reason: str
    run_id: str
    new: bool


class ColumnDrift(Part):
    """Drift of one feature, or of the prediction.

    `missing_then` and `missing_now` are shares of all rows in training and current data; `then`
    and `now` are shares of the rows with a value, by bin. `distance` is the Kolmogorov-Smirnov
    statistic for numbers, the total variation distance for categories. `new_values` is the number
    of distinct values that training did not have.
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
    """drift.json: current data compared with the training data.

    `unknown_columns` are in the file but not in the model's contract, and were ignored.
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
    """batch.json: the result of scoring files."""

    shape: Literal["batch/1"] = "batch/1"
    model: str
    version: str
    rows: int
    scored: int
    rejected: int
    seconds: float
    resumed: bool


class Masking(Part):
    """masking.json: a copy of raw data without identifiers; `left_out` is a number of rows."""

    shape: Literal["masking/1"] = "masking/1"
    files: int
    rows: int
    left_out: int
    hashed: list[str]
    dropped: list[str]


class Reproduction(Part):
    """The result of `reproduce`: whether a retrained version is identical bit for bit."""

    shape: Literal["reproduction/1"] = "reproduction/1"
    version: str
    identical: bool
    differences: list[str]
    predictions_hash: str


# By the name of their file, without its extension.
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
