"""The tiles: what each asks, the measures of alerts that judge it, and how Azure answers.

A page of this machine and a workbook of Azure are drawn from this table. Limits are those of
conf/alerts.yml, by measure, and of the budget; there are none here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlops_platform.alerts.measures import MEASURES

Name = Literal["progress", "compute", "quota", "errors", "availability", "drift", "truth", "cost"]


@dataclass(frozen=True)
class Query:
    """A question to Azure's logs, whose answer is one row with the number `Value`.

    Its limits are those of a measure's alerts, or the budget. `${...}` is filled in by Terraform.
    """

    title: str
    limits: str
    kql: str


@dataclass(frozen=True)
class Tile:
    """A tile: its name for programs, its title and question, and the measures that judge it.

    `needs` is what a project must have for it. `elsewhere` says where Azure has what no log holds.
    """

    name: Name
    title: str
    asks: str
    measures: tuple[str, ...] = ()
    needs: Literal["", "endpoint", "cloud"] = ""
    queries: tuple[Query, ...] = ()
    elsewhere: str = ""


def _metric(title: str, measure: str) -> Query:
    """The question for a metric of the workspace, which is also that of the measure's alert."""
    metric = MEASURES[measure].azure
    assert metric is not None
    function = {"Total": "sum", "Maximum": "max", "Average": "avg"}[metric.aggregation]
    return Query(
        title,
        measure,
        f'AzureMetrics | where MetricName == "{metric.metric}" and TimeGenerated > ago(1h) '
        f"| summarize Value = {function}({metric.aggregation}) / {metric.scale:.1f}",
    )


def _traffic(title: str, measure: str, value: str) -> Query:
    """A question for the requests of five minutes; without one there is no answer."""
    return Query(
        title,
        measure,
        'AmlOnlineEndpointTrafficLog | where EndpointName == "${online}" '
        f"and TimeGenerated > ago(5m) | summarize Asked = count(), Found = {value} "
        "| project Value = iff(Asked == 0, real(null), toreal(Found))",
    )


TILES = (
    Tile(
        "progress",
        "Progress",
        "Which version serves, and does another wait?",
        ("model_age_days",),
        queries=(
            Query(
                "Days since a model was registered",
                "model_age_days",
                'AzureMetrics | where MetricName == "Model Register Succeeded" and Total > 0 '
                "| summarize Last = max(TimeGenerated) | project Value = (now() - Last) / 1d",
            ),
        ),
    ),
    Tile(
        "compute",
        "Compute health",
        "Do runs end as they should?",
        ("failed_runs", "unusable_nodes"),
        queries=(
            _metric("Failed runs in an hour", "failed_runs"),
            _metric("Unusable nodes", "unusable_nodes"),
        ),
    ),
    Tile(
        "quota",
        "Quota",
        "Do the largest clusters fit the cores there are?",
        ("quota_share",),
        needs="cloud",
        queries=(_metric("Share of the cores in use", "quota_share"),),
    ),
    Tile(
        "errors",
        "Errors",
        "Does the endpoint fail to answer, or refuse?",
        ("errors_per_minute", "refused_per_minute"),
        needs="endpoint",
        queries=(
            _traffic(
                "Failed requests a minute",
                "errors_per_minute",
                "countif(ResponseCode >= 500) / 5.0",
            ),
            _traffic(
                "Refused requests a minute",
                "refused_per_minute",
                "countif(ResponseCode between (400 .. 499)) / 5.0",
            ),
        ),
    ),
    Tile(
        "availability",
        "Availability",
        "Is there an answer, and in time?",
        ("down", "seconds_p95"),
        needs="endpoint",
        queries=(
            _traffic(
                "Seconds within which 95 % of the answers came",
                "seconds_p95",
                "percentile(TotalDurationMs, 95) / 1000.0",
            ),
        ),
    ),
    Tile(
        "drift",
        "Drift",
        "Is the data of now like that of the training?",
        ("drift",),
        elsewhere="On the page Monitoring of the workspace, `${project}-monitor`.",
    ),
    Tile(
        "truth",
        "Truth",
        "Do later outcomes confirm the model?",
        ("truth",),
        elsewhere="The version's tag `truth`, from the job of the schedule `${project}-truth`; a "
        "broken champion fails the job.",
    ),
    Tile(
        "cost",
        "Cost",
        "Is the month within its budget?",
        queries=(
            Query(
                "Nodes of the cluster this month, in money; the bill has the rest",
                "budget",
                "AmlComputeClusterNodeEvent | where TimeGenerated > startofmonth(now()) "
                "| summarize Seconds = max(toreal(TotalE2ETimeInSeconds)) by NodeId "
                "| summarize Value = sum(Seconds) / 3600 * real(${hour})",
            ),
        ),
    ),
)
