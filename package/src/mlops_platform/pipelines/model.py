"""A pipeline job in memory: steps, ports and bindings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError

LITERALS = ("string", "integer", "number", "boolean")
PATHS = ("uri_file", "uri_folder")
BINDING = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
BINDINGS = "write ${{parent.inputs.NAME}} or ${{parent.jobs.STEP.outputs.NAME}}"


@dataclass(frozen=True)
class Port:
    """A declared input or output; `low`, `high` and `allowed` are limits of a literal."""

    type: str
    optional: bool = False
    default: Any = None
    low: float | None = None
    high: float | None = None
    allowed: tuple[Any, ...] = ()


@dataclass(frozen=True)
class FromStep:
    """An input that is bound to another step's output."""

    step: str
    output: str


@dataclass(frozen=True)
class FromPipeline:
    """An input that is bound to an input of the pipeline."""

    name: str


@dataclass(frozen=True)
class Step:
    """A command with its ports and their bindings."""

    name: str
    source: Path
    command: str
    code: Path | None
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    bindings: dict[str, FromStep | FromPipeline | Path | Any]
    environment: dict[str, str] = field(default_factory=dict)
    deterministic: bool = True


@dataclass(frozen=True)
class Pipeline:
    """A pipeline job; `steps` are sorted by their dependencies."""

    name: str
    source: Path
    inputs: dict[str, Any]
    steps: list[Step]
    outputs: dict[str, FromStep]

    def ancestors(self, name: str) -> list[Step]:
        """The step of this name and its dependencies, in order.

        Raises:
            UsageError: there is no such step.
        """
        by_name = {step.name: step for step in self.steps}
        if name not in by_name:
            raise UsageError(f"{self.source}: has no job '{name}'; it has {join_names(by_name)}.")
        needed = {name}
        for step in reversed(self.steps):
            if step.name in needed:
                needed |= {b.step for b in step.bindings.values() if isinstance(b, FromStep)}
        return [step for step in self.steps if step.name in needed]


def parse_binding(text: str) -> FromStep | FromPipeline | None:
    """Parse a binding of a step's input; None if the text is no binding."""
    match = BINDING.fullmatch(text)
    parts = match[1].split(".") if match else []
    if parts[:2] == ["parent", "inputs"] and len(parts) == 3:
        return FromPipeline(parts[2])
    if parts[:2] == ["parent", "jobs"] and len(parts) == 5 and parts[3] == "outputs":
        return FromStep(parts[2], parts[4])
    return None


def split_command(command: str) -> list[str]:
    """Split a command into arguments, as a shell does; an operator between commands is one, too.

    Raises:
        ValueError: a quotation mark without its partner.
    """
    spaceless = BINDING.sub(lambda match: "${{" + match[1] + "}}", command)
    lexer = shlex.shlex(spaceless, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(lexer)


def join_names(names: Mapping[str, Any]) -> str:
    """Join names for a message."""
    return ", ".join(names) or "none"
