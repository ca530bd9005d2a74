"""What an alert can watch, and how Prometheus and Azure measure it.

A measure is a number that is worse the larger it is. `prometheus` is an expression over the metrics
of the endpoint, where JOB stands for the project's name; `azure` is a metric of Azure Monitor. One
without an expression is known in Azure alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Azure:
    """A metric of Azure Monitor: its resource, name and aggregation, and one dimension's value.

    `scale` is how many of the metric's units one unit of the measure is.
    """

    resource: str
    metric: str
    aggregation: str
    scale: float = 1
    dimension: tuple[str, str] | None = None


@dataclass(frozen=True)
class Measure:
    """A measure: its name in conf/alerts.yml, and what it counts."""

    name: str
    words: str
    prometheus: str | None = None
    azure: Azure | None = None


def _per_minute(name: str, words: str, status: str) -> Measure:
    labels = f'job="JOB",path="/score",status=~"{status[0]}.."'
    return Measure(
        name,
        f"requests a minute that the endpoint {words} ({status}), over five minutes",
        f"sum(rate(mlops_requests_total{{{labels}}}[5m])) * 60",
        Azure("endpoint", "RequestsPerMinute", "Average", dimension=("statusCodeClass", status)),
    )


MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "down",
            "1 if the endpoint's metrics cannot be read",
            'max(absent(mlops_model{job="JOB"}))',
        ),
        _per_minute("errors_per_minute", "failed to answer", "5xx"),
        _per_minute("refused_per_minute", "refused", "4xx"),
        Measure(
            "seconds_p95",
            "seconds within which 95 % of the answers came, over five minutes",
            "histogram_quantile(0.95, sum(rate(mlops_request_seconds_bucket"
            '{job="JOB",path="/score"}[5m])) by (le))',
            Azure("endpoint", "RequestLatency_P95", "Average", 1000),
        ),
        Measure(
            "model_age_days",
            "days since the serving model was trained",
            '(time() - max(mlops_model_trained_timestamp_seconds{job="JOB"})) / 86400',
        ),
        Measure(
            "drift",
            "1 if the last monitor of the serving version found drift, else 0",
            'max(mlops_drift{job="JOB"})',
        ),
        Measure(
            "truth",
            "what late labels say of the serving version: 0 holds, 1 doubtful, 2 broken",
            'max(mlops_truth{job="JOB"})',
        ),
        Measure(
            "failed_runs",
            "jobs of the workspace that failed, over an hour",
            azure=Azure("workspace", "Failed Runs", "Total"),
        ),
        Measure(
            "unusable_nodes",
            "nodes of the cluster that cannot be used",
            azure=Azure("workspace", "Unusable Nodes", "Maximum"),
        ),
        Measure(
            "quota_share",
            "share of the cores in use that the workspace may use",
            azure=Azure("workspace", "Quota Utilization Percentage", "Average", 100),
        ),
    )
}
