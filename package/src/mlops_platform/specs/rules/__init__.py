"""Rules that no schema can express, one module for each topic.

A rule takes a spec and returns its problems. Add a new one to `ALL`, with a planted error in the
tests that it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlops_platform.schemas.nodes import Problem
from mlops_platform.specs.project import Spec
from mlops_platform.specs.rules import (
    bindings,
    commands,
    costs,
    deployments,
    network,
    paths,
    references,
    sweeps,
    times,
)

Rule = Callable[[Spec], Iterator[Problem]]
ALL: tuple[Rule, ...] = (
    bindings.check,
    commands.check,
    costs.check,
    deployments.check,
    network.check,
    paths.check,
    references.check,
    sweeps.check,
    times.check,
)
