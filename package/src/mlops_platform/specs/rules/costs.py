"""House rules for everything that costs money: tags for the bill, and time limits."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.specs.project import Spec

JOBS = ("pipeline", "job", "sweep", "spark", "schedule", "monitor")
SERVING = ("online endpoint", "online deployment", "batch endpoint", "batch deployment")
SECONDS = "write {timeout: SECONDS}, so that a job that hangs ends"


def check(spec: Spec) -> Iterator[Problem]:
    """Find missing tags, missing time limits, and idle machines that keep running."""
    tree = spec.tree
    if spec.is_a(*JOBS, *SERVING, "compute") and not tree.fields("tags"):
        found = tree.get("tags")
        message = "is missing; write at least {project: NAME}: bills are split by tags"
        yield (
            found.problem(message, house=True)
            if found
            else tree.missing("tags", message, house=True)
        )
    if spec.is_a("job", "sweep"):
        yield from _limit(tree, "limits", "timeout")
    if spec.is_a("pipeline", "pipeline component"):
        for job in tree.fields("jobs").values():
            yield from _inside(job)
    if spec.is_a("batch deployment") and tree.text("type") != "pipeline":
        at = tree.get("settings") or tree
        yield from _limit(at, "retry_settings", "timeout", "seconds for one mini-batch")
    if spec.is_a("compute"):
        yield from _machines(tree)


def _inside(job: Node) -> Iterator[Problem]:
    if not isinstance(job.value, dict):
        return
    kind = job.text("type") or "command"
    if kind in ("command", "sweep"):
        yield from _limit(job, "limits", "timeout")
    elif kind == "parallel" and not job.text("component"):
        yield from _limit(job, "retry_settings", "timeout", "seconds for one mini-batch")
    elif kind == "automl":
        yield from _limit(job, "limits", "timeout_minutes")


def _limit(node: Node, group: str, name: str, what: str = "") -> Iterator[Problem]:
    if node.get(group, name) is None:
        message = f"is missing; write {what}" if what else f"is missing; {SECONDS}"
        line = (node.get(group) or node).line
        yield Problem(node.file, line, node.child_path(f"{group}.{name}"), message, house=True)


def _machines(tree: Node) -> Iterator[Problem]:
    kind = tree.text("type").lower()
    if kind == "amlcompute":
        least, most = tree.get("min_instances"), tree.get("max_instances")
        low = least.value if least is not None else 0
        high = most.value if most is not None else 1
        if isinstance(low, int) and low > 0 and least is not None:
            yield least.problem(f"{low} machines would run day and night; write 0", house=True)
        if isinstance(low, int) and isinstance(high, int) and low > high and most is not None:
            yield most.problem(f"is below `min_instances`; write at least {low}")
        if tree.get("idle_time_before_scale_down") is None:
            message = "is missing; write seconds, such as 600, after which idle machines stop"
            yield tree.missing("idle_time_before_scale_down", message, house=True)
    elif kind == "computeinstance":
        names = ("idle_time_before_shutdown_minutes", "idle_time_before_shutdown", "schedules")
        if not any(tree.get(name) for name in names):
            message = "is missing; write minutes, such as 60, after which it shuts down"
            yield tree.missing(names[0], message, house=True)
