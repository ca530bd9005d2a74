"""Fields of the files: mappings with valid names, and the fields that local runs accept.

Which fields there are, and what a local run does with each, stands in `schemas`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.schemas import common, components, jobs
from mlops_platform.schemas.validators import Fields

NAME = re.compile(r"[A-Za-z_]\w*")
PIPELINE = Fields(jobs.PIPELINE)
JOB = jobs.COMMAND_IN_PIPELINE
COMPONENT = Fields(components.COMMAND)
# Of a job: values. Of a component: declarations, by type.
INPUT, OUTPUT = common.GIVEN, common.OUTPUT
DECLARED_INPUTS, DECLARED_OUTPUTS = components.INPUT_TYPES, components.OUTPUT_TYPES


def read_mapping(content: Mapping[str, Any], field: str, path: Path, prefix: str) -> dict[str, Any]:
    """A mapping whose keys are valid names for folders, arguments and variables.

    Raises:
        UsageError: no mapping, or an invalid name.
    """
    mapping = content.get(field)
    if mapping is None:
        return {}
    where = f"{path}, field `{prefix}{field}"
    if not isinstance(mapping, dict):
        raise UsageError(f"{where}`: expected `name: value` lines, got {mapping!r}.")
    for name in mapping:
        if not NAME.fullmatch(str(name)):
            raise UsageError(f"{where}.{name}`: a name is made of letters, digits and _.")
    return mapping


def refuse_fields(names: Iterable[Any], fields: Fields, path: Path, prefix: str) -> None:
    """Refuse a field that a local run could neither use nor ignore.

    Raises:
        UsageError: there is one.
    """
    for name in names:
        if reason := fields.refuse_locally(str(name)):
            raise UsageError(f"{path}, field `{prefix}{name}`: {reason}.")


def raise_first(path: Path, problems: Iterable[tuple[str, str]]) -> None:
    """Raise the first of some problems, each a field and a message.

    Raises:
        UsageError: there is one.
    """
    for field, message in problems:
        raise UsageError(f"{path}, field `{field}`: {message}.")
