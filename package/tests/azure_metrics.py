"""Names of Microsoft.MachineLearningServices in Azure Monitor, which nobody else checks."""

NAMES = {
    "workspace": {
        "Failed Runs",
        "Model Deploy Failed",
        "Model Register Succeeded",
        "Not Responding Runs",
        "Preempted Nodes",
        "Queued Runs",
        "Quota Utilization Percentage",
        "Unusable Nodes",
    },
    "endpoint": {
        "RequestLatency",
        "RequestLatency_P50",
        "RequestLatency_P90",
        "RequestLatency_P95",
        "RequestLatency_P99",
        "RequestsPerMinute",
    },
}
