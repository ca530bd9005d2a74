"""Requests as the contract allows them: `{"rows": [{...}, ...]}`.

There is one format. A single row is a list of one, so that a client that sends one row today can
send many tomorrow.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from mlops_platform.data.columns import Column
from mlops_platform.data.contract import Contract

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 1000
MAX_BYTES = 1_000_000
MAX_FAULTS = 20
MAX_TEXT_LENGTH = 200
GZIP = b"\x1f\x8b"
REPEATED = "is given twice; give it once"


class Fault(NamedTuple):
    """What is wrong: in which row, counted from 1, and in which field; None for the whole body.

    It never contains a value: faults are part of responses, and may be logged.
    """

    row: int | None
    field: str | None
    message: str


class RequestError(Exception):
    """A request that violates the contract; it has 1 to MAX_FAULTS faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class Requests:
    """Reads requests of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._row = contract.request_row()

    def read(self, body: bytes) -> list[dict[str, Any]]:
        """Rows with a value, or None, for the id and each requested column.

        A byte order mark of UTF-8, which some editors and shells write, is passed over.

        Raises:
            RequestError: not JSON, another format, a key that is given twice, or rows that violate
                the contract.
        """
        body = body.removeprefix(codecs.BOM_UTF8)
        try:
            content = from_json(body)
        except ValueError as error:
            raise _request_error(None, _why_not_json(body, error)) from None
        _refuse_repeated_keys(body)
        if not isinstance(content, dict):
            raise _request_error(None, 'expected {"rows": [{...}]}')
        for name in content:
            if name != "rows":
                raise _request_error(name, "is not a known field; expected `rows`")
        rows = content.get("rows")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
            raise _request_error("rows", f"expected a list of 1 to {MAX_ROWS} rows")

        valid_rows: list[dict[str, Any]] = []
        faults: list[Fault] = []
        for number, row in enumerate(rows, start=1):
            try:
                valid_rows.append(self._row.model_validate(row).model_dump(by_alias=True))
            except ValidationError as error:
                faults += _faults(number, row, error)
        if faults:
            raise RequestError(faults[:MAX_FAULTS])
        return valid_rows

    def example(self) -> dict[str, Any]:
        """A row that the contract allows."""
        names = [*self._contract.named("id"), *self._contract.requested]
        row = {name: self.value(name) for name in names}
        return self._row.model_validate(row).model_dump(by_alias=True)

    def value(self, name: str) -> Any:
        """A value that the contract allows in a column."""
        return _example(self._contract.columns[name])

    def schema(self) -> dict[str, Any]:
        """JSON schema of a request's body, with an example."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["rows"],
            "properties": {
                "rows": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_ROWS,
                    "items": self._row.model_json_schema(by_alias=True),
                }
            },
            "example": {"rows": [self.example()]},
        }


def derived_faults(cases: pd.DataFrame) -> list[Fault]:
    """The faults of derived values, from those of `Contract.failure_cases`."""
    return [
        Fault(
            int(case.row) + 1, _truncate(case.column), f"the derived value violates `{case.rule}`"
        )
        for case in cases.head(MAX_FAULTS).itertuples()
    ]


def _why_not_json(body: bytes, error: ValueError) -> str:
    if body.startswith(GZIP):
        return "is not JSON: it is compressed with gzip; send it as it is"
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:4]:
        return "is not JSON in UTF-8: it looks like UTF-16 or UTF-32; send UTF-8"
    return f"is not JSON: {error}"


class _Repeated(NamedTuple):
    """In place of an object of the request: the key that it has twice."""

    name: str


def _refuse_repeated_keys(body: bytes) -> None:
    """Refuse an object that has a key twice, at any depth: its client meant one of the values."""
    found: list[_Repeated] = []

    def check(pairs: list[tuple[str, Any]]) -> Any:
        content = dict(pairs)
        if len(content) == len(pairs):
            return content
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        found.append(_Repeated(name))
        return found[-1]

    # `from_json` has read the numbers already. Here they stay texts: long ones take long.
    try:
        content = json.loads(body, object_pairs_hook=check, parse_int=str, parse_float=str)
    except ValueError as error:
        raise _request_error(None, f"is not JSON: {error}") from None
    if not found:
        return
    rows = content.get("rows") if isinstance(content, dict) else None
    faults = [
        Fault(number, _truncate(name), REPEATED)
        for number, row in enumerate(rows if isinstance(rows, list) else [], start=1)
        for name in _repeated_in(row)
    ]
    raise RequestError(faults[:MAX_FAULTS] or [Fault(None, _truncate(found[-1].name), REPEATED)])


def _repeated_in(content: Any) -> Iterator[str]:
    """The keys that the objects of `content` have twice."""
    if isinstance(content, _Repeated):
        yield content.name
    elif isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _repeated_in(part)


def _request_error(field: str | None, message: str) -> RequestError:
    return RequestError([Fault(None, _truncate(field), message)])


def _faults(number: int, row: Any, error: ValidationError) -> list[Fault]:
    if not isinstance(row, dict):
        return [Fault(number, None, "expected an object with a value for each feature")]
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        Fault(number, _truncate(str(fault["loc"][0])), _truncate(fault["msg"]) or "")
        for fault in errors[:MAX_FAULTS]
    ]


def _truncate(text: str | None) -> str | None:
    """Limit a text: names of unknown fields come from the client, categories may be many."""
    return text if text is None or len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH] + "..."


def _example(column: Column) -> Any:
    if column.values is not None:
        return column.values[0]
    if not column.numeric:
        return _example_date(column) if column.kind == "date" else "text"
    low, high = column.min, column.max
    if low is None or high is None:
        middle = float(low if low is not None else high if high is not None else 0)  # type: ignore[arg-type]
    else:
        middle = (float(low) + float(high)) / 2  # type: ignore[arg-type]
    return round(middle) if column.kind == "integer" else middle


def _example_date(column: Column) -> str:
    low, high = column.min, column.max
    chosen = low if low is not None else high if high is not None else "2026-01-31"
    return str(chosen)
