"""Checks that a response has the fields that the consumers in conf/consumers.yml read.

A field is named by its path in the response, such as `predictions.0.label`; 0 is the first row.
"""

from __future__ import annotations

import json
import math
from typing import Any

from mlops_platform.data.contract import Contract
from mlops_platform.serving.requests import Requests
from mlops_platform.settings import Consumer

MAX_LENGTH = 120  # characters of a response in a message


def body(consumer: Consumer, contract: Contract) -> str:
    """The JSON of a consumer's request: its own rows, or the contract's example."""
    rows = consumer.sends or [Requests(contract).example()]
    return json.dumps({"rows": rows}, default=str)  # YAML reads 2026-01-31 as a date


def faults(consumer: Consumer, answer: Any) -> list[str]:
    """The problems of a consumer with a response; empty if it finds all fields that it reads."""
    if isinstance(answer, dict) and "error" in answer:
        return [f"its request is rejected: {_truncate(answer.get('faults') or answer['error'])}"]
    problems = (_find_fault(answer, path, kind) for path, kind in consumer.reads.items())
    return [problem for problem in problems if problem]


def _find_fault(answer: Any, path: str, kind: str) -> str | None:
    value = answer
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return f"`{path}`: there is no `{part}` in {_truncate(value)}"
    return (
        None if _has_type(kind, value) else f"`{path}`: expected a {kind}, got {_truncate(value)}"
    )


def _has_type(kind: str, value: Any) -> bool:
    if kind == "text":
        return isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _truncate(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_LENGTH else text[:MAX_LENGTH] + "..."
