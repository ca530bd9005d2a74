"""What no table can say: one module for each thing that can be wrong.

A rule takes a file of the project and gives its faults. A new one needs its place in `ALL`, and a
planted error that it catches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlops_platform.specs.nodes import Fault
from mlops_platform.specs.project import Spec
from mlops_platform.specs.rules import (
    bindings,
    commands,
    costs,
    deployments,
    paths,
    references,
    sweeps,
    times,
)

Rule = Callable[[Spec], Iterator[Fault]]
ALL: tuple[Rule, ...] = (
    bindings.faults,
    commands.faults,
    costs.faults,
    deployments.faults,
    paths.faults,
    references.faults,
    sweeps.faults,
    times.faults,
)
