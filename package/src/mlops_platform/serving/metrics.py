"""What Prometheus can ask of the endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mlops_platform.serving.scorer import Scorer

Verdicts = Callable[[str], Mapping[str, float]]
VERDICTS = {
    "drift": "The last monitor of this version: 1 drift, 0 stable",
    "truth": "Late labels of this version: 0 holds, 1 doubtful, 2 broken",
}


class Metrics:
    """The Prometheus metrics of one app, separate from other apps in the same process."""

    def __init__(self, scorer: Scorer, verdicts: Verdicts | None = None) -> None:
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
        for outcome in ("kept", "lost"):
            self.predictions.labels(outcome)  # a rate needs the zero before the first one
        info = Gauge("mlops_model", "The model", ["model", "version"], registry=self.registry)
        info.labels(scorer.name, scorer.version).set(1)
        if scorer.trained is not None:
            trained = Gauge(
                "mlops_model_trained_timestamp_seconds",
                "When the fit of the model began",
                registry=self.registry,
            )
            trained.set(scorer.trained.timestamp())
        if verdicts is not None:
            self.registry.register(_OfEvidence(verdicts, scorer.version))

    def count_predictions(self, outcome: str, rows: int) -> None:
        """Count predictions that were `kept` or `lost`."""
        self.predictions.labels(outcome).inc(rows)


class _OfEvidence(Collector):
    """Gauges of the last verdicts, read whenever somebody asks; none without a verdict."""

    def __init__(self, verdicts: Verdicts, version: str) -> None:
        self._verdicts, self._version = verdicts, version

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A gauge of each verdict that there is."""
        found = self._verdicts(self._version)
        for name, words in VERDICTS.items():
            if name in found:
                yield GaugeMetricFamily(f"mlops_{name}", words, value=found[name])

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Their names."""
        for name, words in VERDICTS.items():
            yield GaugeMetricFamily(f"mlops_{name}", words)
