"""Evidence: typed JSON files that steps write and gates read."""

from mlops_platform.evidence.files import read, write
from mlops_platform.evidence.retraining import Retraining
from mlops_platform.evidence.shapes import SHAPES as SHAPES_OF_STEPS
from mlops_platform.evidence.shapes import (
    BatchResult,
    CalibrationBin,
    ColumnDrift,
    Comparison,
    DriftReport,
    Evaluation,
    Finding,
    Footprint,
    Group,
    Importance,
    Masking,
    Measure,
    Part,
    Registration,
    Reproduction,
    Robustness,
    Split,
    Training,
    Validation,
    Verdict,
)
from mlops_platform.evidence.truth import Period, TruthReport, TruthVerdict, VersionTruth

SHAPES: dict[str, type[Part]] = {**SHAPES_OF_STEPS, "truth": TruthReport, "retraining": Retraining}

__all__ = [
    "SHAPES",
    "BatchResult",
    "CalibrationBin",
    "ColumnDrift",
    "Comparison",
    "DriftReport",
    "Evaluation",
    "Finding",
    "Footprint",
    "Group",
    "Importance",
    "Masking",
    "Measure",
    "Part",
    "Period",
    "Registration",
    "Reproduction",
    "Retraining",
    "Robustness",
    "Split",
    "Training",
    "TruthReport",
    "TruthVerdict",
    "Validation",
    "Verdict",
    "VersionTruth",
    "read",
    "write",
]
