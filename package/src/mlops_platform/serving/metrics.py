"""What Prometheus can ask of the endpoint."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mlops_platform.serving.scorer import Scorer


class Metrics:
    """The Prometheus metrics of one app, separate from other apps in the same process."""

    def __init__(self, scorer: Scorer) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlops_requests", "Requests answered", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mlops_request_seconds",
            "Time from the first byte of a request to the last of its answer",
            ["path"],
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self.rows = Counter("mlops_rows_scored", "Rows scored", registry=self.registry)
        self.rejects = Counter(
            "mlops_rejects", "Faults in refused requests", ["field"], registry=self.registry
        )
        self.predictions = Counter(
            "mlops_predictions",
            "Predictions that the ledger kept, and lost",
            ["outcome"],
            registry=self.registry,
        )
        info = Gauge("mlops_model", "The model", ["model", "version"], registry=self.registry)
        info.labels(scorer.name, scorer.version).set(1)

    def count_predictions(self, outcome: str, rows: int) -> None:
        """Count predictions that were `kept` or `lost`."""
        self.predictions.labels(outcome).inc(rows)
