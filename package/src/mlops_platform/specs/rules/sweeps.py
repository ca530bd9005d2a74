"""Sweeps: valid ranges, matching policies, and consistent numbers of trials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.schemas.validators import join_names
from mlops_platform.specs.ports import ports_of_job
from mlops_platform.specs.project import Spec

BAYESIAN = {"choice", "uniform", "quniform"}


def check(spec: Spec) -> Iterator[Problem]:
    """Check a sweep job, alone or in a pipeline."""
    if spec.is_a("sweep"):
        yield from _sweep(spec.tree)
        yield from _unused(spec.tree)
    if spec.is_a("pipeline", "pipeline component"):
        for job in spec.tree.fields("jobs").values():
            if job.text("type") == "sweep":
                yield from _sweep(job)
                inputs = ports_of_job(job, spec)[0].inputs
                for name, node in job.fields("search_space").items():
                    if name not in inputs:
                        yield node.problem(
                            f"the trial has no such input; write {join_names(inputs)}"
                        )


def _number(node: Node | None) -> Any:
    value = node.value if node is not None else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sweep(tree: Node) -> Iterator[Problem]:
    algorithm = (tree.text("sampling_algorithm") or tree.text("sampling_algorithm", "type")).lower()
    for node in tree.fields("search_space").values():
        kind = node.text("type")
        low, high = _number(node.get("min_value")), _number(node.get("max_value"))
        if low is not None and high is not None and low >= high:
            yield node.problem(f"`min_value` {low} is not below `max_value` {high}; exchange them")
        if algorithm == "grid" and kind and kind != "choice":
            yield node.problem(f"a grid needs choices, found {kind}; write `type: choice`")
        if algorithm == "bayesian" and kind and kind not in BAYESIAN:
            yield node.problem(
                f"bayesian sampling takes {join_names(BAYESIAN)}, found {kind}; use one"
            )
    policy = tree.get("early_termination")
    if policy is not None and policy.text("type") == "bandit":
        given = [name for name in ("slack_factor", "slack_amount") if policy.get(name)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            yield policy.missing(
                "slack_factor", f"found {found}; write one of slack_factor and slack_amount"
            )
    trials, beside = (
        tree.get("limits", name) for name in ("max_total_trials", "max_concurrent_trials")
    )
    if beside is not None and (_number(beside) or 0) > (_number(trials) or float("inf")):
        yield beside.problem("is above `max_total_trials`; write at most as many")
    long, one = (_number(tree.get("limits", name)) for name in ("timeout", "trial_timeout"))
    if long and one and one > long:
        at = tree.get("limits", "trial_timeout") or tree
        yield at.problem(f"{one} s is longer than the sweep, {long} s; write less")


def _unused(tree: Node) -> Iterator[Problem]:
    """Find parameters of a sweep that its command does not use."""
    command = tree.text("trial", "command")
    for name, node in tree.fields("search_space").items():
        if command and f"search_space.{name}" not in command:
            yield node.problem(
                f"the command does not use it; write ${{{{search_space.{name}}}}} there",
                house=True,
            )
