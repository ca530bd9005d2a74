"""The command of a step with its values, the same words as Azure ML's.

The service replaces a binding by the text that azure-ai-ml sends for its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_platform.core.literals import convert
from mlops_platform.pipelines.model import BINDING, OPTIONAL, PATHS, Port, Step, split_command


def build_command(step: Step, values: Mapping[str, Any], outputs: Path) -> list[str]:
    """The step's command as a list, with resolved bindings; optional parts need a value."""

    def optional(match: Any) -> str:
        names = [name.partition(".")[2] for name in BINDING.findall(match[1])]
        return match[1] if all(name in values for name in names) else ""

    def replace(match: Any) -> str:
        group, _, name = match[1].partition(".")
        return str(outputs / name) if group == "outputs" else to_text(values[name])

    return [
        BINDING.sub(replace, word) for word in split_command(OPTIONAL.sub(optional, step.command))
    ]


def to_text(value: Any) -> str:
    """The text of a value in a command, as azure-ai-ml sends it: `True`, not `true`."""
    return str(value)


def default_of(port: Port) -> Any:
    """The default of a component's input, read as its type: 1 of a number is 1.0."""
    if port.default is None or port.type in PATHS:
        return port.default
    return convert(port.default, port.type)
