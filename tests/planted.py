"""Evidence of made-up runs, for tests of what reads it."""

from typing import Any

from mlops_platform import evidence
from mlops_platform.report.collect import Run

PROJECT = {
    "name": "credit-risk",
    "description": "Predicts which loans default",
    "team": "lending",
    "contact": "team@example.com",
    "task": "classification",
    "stage": "develop",
    "regulated": False,
}


def verdict(gate: str, *, passed: bool, blocks: bool = True) -> evidence.Verdict:
    return evidence.Verdict(
        gate=gate, passed=passed, blocks=blocks, value=0.5, limit="at least 0.7", message=f"{gate}!"
    )


def measure(name: str, value: float, baseline: float | None) -> evidence.Measure:
    return evidence.Measure(
        name=name,
        higher_is_better=True,
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        baseline=baseline,
    )


def group(name: str, rows: int, value: float | None) -> evidence.Group:
    return evidence.Group(column="age", group=name, rows=rows, value=value, low=None, high=None)


def column(name: str, *, drifted: bool) -> evidence.ColumnDrift:
    return evidence.ColumnDrift(
        column=name,
        kind="numeric",
        psi=0.5 if drifted else 0.01,
        test="Kolmogorov-Smirnov",
        distance=0.3 if drifted else 0.02,
        p_value=0 if drifted else 0.7,
        missing_then=0.1,
        missing_now=0.1,
        new_values=0,
        bins=["up to 1", "above 1"],
        then=[0.5, 0.5],
        now=[0.9, 0.1] if drifted else [0.5, 0.5],
        drifted=drifted,
        reasons=["PSI 0.500, at most 0.2"] if drifted else [],
    )


def run(*, regression: bool = False, **changes: Any) -> Run:
    """A run that made a challenger; `changes` replace whole evidence files, None removes one."""
    metric = "mae" if regression else "roc_auc"
    parts: dict[str, Any] = {
        "validation": evidence.Validation(rows=3000, data_hash="d" * 64, findings=[]),
        "split": evidence.Split(
            by="time",
            seed=0,
            data_hash="d" * 64,
            rows={"train": 1800, "validation": 600, "test": 600},
            hashes={"train": "a" * 64, "validation": "b" * 64, "test": "c" * 64},
            description="by `month`: train to 2025-03-01",
        ),
        "training": evidence.Training(
            run_id="r" * 32,
            began="2026-11-01T10:00:00+00:00",
            trigger="manual",
            git_commit="e" * 40,
            git_dirty="true",
            outcome="trained",
            metric=metric,
            value=0.8,
            baseline=0.5,
            seconds=1.5,
            seed=0,
            parameters={"max_iter": 120},
        ),
        "evaluation": evidence.Evaluation(
            run_id="r" * 32,
            task="regression" if regression else "classification",
            metric=metric,
            test_hash="c" * 64,
            rows=600,
            predictions_hash="f" * 64,
            measures=[measure(metric, 0.8, 0.5), measure("other", 0.6, None)],
            groups=[group("young", 400, 0.81), group("old", 12, None)],
            robustness=[evidence.Robustness(name="noise on numbers", value=0.79, worse_by=0.01)],
            importance=[evidence.Importance(feature="income", mean=0.1, std=0.01)],
            size_mb=0.9,
            verdicts=[verdict(f"quality: {metric}", passed=True)],
            labels=[] if regression else ["repaid", "defaulted"],
            confusion=[] if regression else [[300, 50], [100, 150]],
            calibration=[]
            if regression
            else [
                evidence.CalibrationBin(label="defaulted", predicted=p, observed=p, rows=300)
                for p in (0.2, 0.7)
            ],
            residuals=[(1.0, 0.5), (2.0, -0.5)] if regression else [],
        ),
        "comparison": evidence.Comparison(
            decision="accepted",
            reason="better than the champion by 0.0500 (0.0200 to 0.0800)",
            metric=metric,
            test_hash="c" * 64,
            champion="3",
            champion_value=0.75,
            champion_measures={metric: 0.75, "other": 0.5},
            challenger_value=0.8,
            margin=0.002,
            difference=0.05,
            low=0.02,
            high=0.08,
            verdicts=[verdict("guardrail: model size", passed=True)],
        ),
        "registration": evidence.Registration(
            model="credit-risk",
            version="4",
            role="challenger",
            reason="better than the champion by 0.0500 (0.0200 to 0.0800)",
            run_id="r" * 32,
            new=True,
        ),
    }
    return Run(**{**parts, **changes})


def drift_report(**changes: Any) -> evidence.DriftReport:
    return evidence.DriftReport(
        **{
            "verdict": "drift",
            "message": "1 of 2 columns drifted: income",
            "model": "credit-risk",
            "version": "3",
            "rows": 1000,
            "columns": [column("income", drifted=True), column("debt", drifted=False)],
            **changes,
        }
    )
