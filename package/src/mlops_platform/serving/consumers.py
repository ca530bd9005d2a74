"""What the callers in conf/consumers.yml send, and whether an answer has what they read.

A field is named by its path in the answer, such as `predictions.0.label`; 0 is the first row.
"""

from __future__ import annotations

import json
import math
from typing import Any

from mlops_platform.data.contract import Contract
from mlops_platform.serving.requests import Requests
from mlops_platform.settings import Consumer

LONGEST = 120  # letters of an answer that are shown


def body(consumer: Consumer, contract: Contract) -> str:
    """The JSON of a consumer's request: its own rows, or the contract's example."""
    rows = consumer.sends or [Requests(contract).example()]
    return json.dumps({"rows": rows}, default=str)  # YAML reads 2026-01-31 as a date


def faults(consumer: Consumer, answer: Any) -> list[str]:
    """What the consumer misses in an answer; empty where it finds all that it reads."""
    if isinstance(answer, dict) and "error" in answer:
        return [f"its request is refused: {_cut(answer.get('faults') or answer['error'])}"]
    found = (_fault(answer, path, kind) for path, kind in consumer.reads.items())
    return [fault for fault in found if fault]


def _fault(answer: Any, path: str, kind: str) -> str | None:
    value = answer
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return f"`{path}`: there is no `{part}` in {_cut(value)}"
    return None if _is(kind, value) else f"`{path}`: expected a {kind}, got {_cut(value)}"


def _is(kind: str, value: Any) -> bool:
    if kind == "text":
        return isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."
