"""Endpoints, deployments and monitors: fields that depend on each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.schemas.validators import join_names
from mlops_platform.specs.project import Spec


def check(spec: Spec) -> Iterator[Problem]:
    """Check the fields of one family of files."""
    if spec.is_a("online endpoint"):
        yield from _traffic(spec.tree)
    if spec.is_a("online deployment"):
        yield from _online(spec.tree)
    if spec.is_a("batch deployment"):
        yield from _batch(spec.tree)
    if spec.is_a("online deployment", "batch deployment"):
        yield from _endpoint(spec)
    if spec.is_a("environment"):
        yield from _environment(spec.tree)
    if spec.is_a("monitor"):
        yield from _monitor(spec.tree)


def _numbers(node: Node | None) -> dict[str, int]:
    fields = node.value if node is not None and isinstance(node.value, dict) else {}
    return {name: item.value for name, item in fields.items() if isinstance(item.value, int)}


def _traffic(tree: Node) -> Iterator[Problem]:
    traffic, mirror = tree.get("traffic"), tree.get("mirror_traffic")
    total = sum(_numbers(traffic).values())
    if traffic is not None and total not in (0, 100):
        yield traffic.problem(f"sums to {total}; write shares that sum to 100, or 0 everywhere")
    mirrored = _numbers(mirror)
    if mirror is not None and len(mirrored) > 1:
        yield mirror.problem(f"has {len(mirrored)} deployments; Azure ML mirrors to one, name one")
    for name in mirrored:
        if _numbers(traffic).get(name):
            yield (mirror.get(name) or mirror if mirror else tree).problem(
                "has live traffic too; mirror to a deployment without"
            )


def _online(tree: Node) -> Iterator[Problem]:
    scale = tree.get("scale_settings")
    by_load = tree.text("scale_settings", "type") == "target_utilization"
    if tree.get("instance_count") is None and not by_load:
        yield tree.missing("instance_count", "is missing; write the number of instances, 1 or more")
    low, high = (_whole(scale, name) for name in ("min_instances", "max_instances"))
    if scale is not None and low is not None and high is not None and low > high:
        yield scale.problem(f"`min_instances` {low} is above `max_instances` {high}; exchange them")
    for probe in ("liveness_probe", "readiness_probe"):
        node = tree.get(probe)
        period, timeout = _whole(node, "period"), _whole(node, "timeout")
        if node is not None and period is not None and timeout is not None and timeout > period:
            yield (node.get("timeout") or node).problem(
                f"{timeout} s is longer than `period` {period} s, so that probes overlap; write at "
                f"most {period}",
                house=True,
            )
        successes = node.get("success_threshold") if node is not None else None
        if probe == "liveness_probe" and successes is not None and successes.value not in (1, None):
            yield successes.problem("must be 1 for a liveness probe; write 1")
    yield from _code(tree)


def _whole(node: Node | None, name: str) -> int | None:
    return _numbers(node).get(name)


def _code(tree: Node) -> Iterator[Problem]:
    if tree.get("code_configuration") and not tree.get("environment"):
        yield tree.missing("environment", "is missing; code needs packages, write file:PATH")
    if tree.get("code_configuration") and not tree.get("model"):
        yield tree.missing("model", "is missing; write azureml:NAME:VERSION")


def _batch(tree: Node) -> Iterator[Problem]:
    if tree.text("type") == "pipeline":
        if not tree.get("component") and not tree.get("job_definition"):
            yield tree.missing("component", "is missing; write a pipeline component's file")
        return
    yield from _code(tree)
    settings = tree.get("settings") or tree
    if settings.get("output_file_name") and settings.text("output_action") == "summary_only":
        yield (settings.get("output_file_name") or settings).problem(
            "cannot be used with `output_action: summary_only`; write append_row, or remove it"
        )


def _endpoint(spec: Spec) -> Iterator[Problem]:
    """Check that a file in the folder defines the deployment's endpoint."""
    family = spec.kind.family.replace("deployment", "endpoint")
    names = {
        other.tree.text("name")
        for other in spec.files.specs()
        if other.is_a(family) and other.path.parent == spec.path.parent
    }
    named = spec.tree.get("endpoint_name")
    if named is not None and names and named.value not in names:
        yield named.problem(
            f"there is no {family} {named.value!r} in this folder; write {join_names(names)}",
            house=True,
        )


def _environment(tree: Node) -> Iterator[Problem]:
    sources = [name for name in ("build", "image") if tree.get(name)]
    if not sources:
        yield tree.missing("build", "is missing; write `build` with a Dockerfile's folder")
    if len(sources) == 2:
        yield (tree.get("image") or tree).problem("cannot be used with `build`; keep one of them")
    if tree.get("conda_file") and tree.get("build"):
        yield (tree.get("conda_file") or tree).problem(
            "cannot be used with `build`; install the packages in the Dockerfile"
        )


def _monitor(tree: Node) -> Iterator[Problem]:
    monitor = tree.get("create_monitor")
    if monitor is None or not isinstance(monitor.value, dict):
        return
    target = monitor.get("monitoring_target", "endpoint_deployment_id")
    if target is not None and not re.fullmatch(
        r"azureml:[A-Za-z][\w-]*:[A-Za-z][\w-]*|azureml:/\S+", str(target.value)
    ):
        yield target.problem(
            f"{target.value!r} is not a deployment; write azureml:ENDPOINT:DEPLOYMENT"
        )
    signals = monitor.fields("monitoring_signals")
    if not signals and not monitor.get("monitoring_target"):
        yield monitor.missing("monitoring_signals", "is missing; write what to monitor")
    task = monitor.text("monitoring_target", "ml_task").lower()
    for signal in signals.values():
        yield from _signal(signal, task, has_target=target is not None)


def _signal(signal: Node, task: str, *, has_target: bool) -> Iterator[Problem]:
    kind = signal.text("type").lower()
    if not isinstance(signal.value, dict) or kind not in (
        "data_drift",
        "prediction_drift",
        "data_quality",
        "feature_attribution_drift",
        "model_performance",
    ):
        return
    limits = signal.get("metric_thresholds")
    if limits is not None and not list(_leaves(limits)):
        yield limits.problem("is empty; write at least one metric with its limit")
    if kind != "data_quality" and limits is None:
        yield signal.missing("metric_thresholds", "is missing; write a metric and its limit")
    if kind == "model_performance" and not signal.get("reference_data"):
        yield signal.missing("reference_data", "is missing; write where the true values are")
    if not signal.get("production_data") and not has_target:
        yield signal.missing("production_data", "is missing, and there is no endpoint; write it")
    reference = signal.get("reference_data")
    named = ("target_column_name", "data_column_names")
    known = reference is None or any(reference.get(name) for name in named)
    if kind == "feature_attribution_drift" and reference is not None and not known:
        yield reference.missing("data_column_names", "is missing; write which column is the target")
    for other in {"classification", "regression"} - {task} if task else ():
        wrong = limits.get(other) if limits is not None else None
        if wrong is not None:
            yield wrong.problem(f"cannot be used with `ml_task: {task}`; write {task}")


def _leaves(node: Node) -> Iterator[Node]:
    return (below for below in node.walk() if not isinstance(below.value, dict | list))
