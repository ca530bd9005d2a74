"""Reads events as Event Grid delivers them: one or a list, in its own schema or as CloudEvents.

Keys of the payload are read without regard to case: those of models are in PascalCase, those of
runs in camelCase, and Microsoft's own pages differ.
https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from mlops_platform.core.errors import UsageError

Kind = Literal[
    "ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged", "DatasetDriftDetected"
]
PREFIX = "Microsoft.MachineLearningServices."
KINDS: dict[str, Kind] = {f"{PREFIX}{kind}": kind for kind in get_args(Kind)}
# What the payload of each must have.
FIELDS: dict[Kind, tuple[str, ...]] = {
    "ModelRegistered": ("ModelName", "ModelVersion"),
    "ModelDeployed": ("ModelIds",),
    "RunCompleted": ("runId",),
    "RunStatusChanged": ("runId", "runStatus"),
    "DatasetDriftDetected": (),
}
ENVELOPES = (("eventType", "eventTime"), ("type", "time"))  # Event Grid's, and that of CloudEvents


@dataclass(frozen=True)
class Event:
    """Something that happened; `id` is the same each time it is delivered."""

    id: str
    kind: Kind
    at: str
    subject: str
    data: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A field of the payload as text; empty if it is not there."""
        return _text(_find(self.data, name))

    def inner(self, name: str, key: str) -> str:
        """A key of a mapping in the payload, such as a tag of a run; empty if it is not there."""
        found = _find(self.data, name)
        return _text(_find(found, key)) if isinstance(found, Mapping) else ""

    @property
    def models(self) -> list[tuple[str, str]]:
        """Name and version of each model that it is about."""
        if self.kind == "ModelRegistered":
            return [(self.text("ModelName"), self.text("ModelVersion"))]
        ids = [each.strip() for each in self.text("ModelIds").split(",") if each.strip()]
        return [(name, number) for name, _, number in (each.rpartition(":") for each in ids)]


def load(path: Path) -> list[Event]:
    """Read the events of a file, or of all files of a folder, in the order of their names.

    Raises:
        UsageError: there is none, or one of them is no event; the message names file and field.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise UsageError(
            f"{path}: has no file `*.json`. Name a file with an event, or their folder."
        )
    return [event for file in files for event in read(_bytes(file), str(file))]


def read(content: bytes | str, source: str) -> list[Event]:
    """Read the events of a text; `source` names it in messages.

    Raises:
        UsageError: it is no JSON, or a field is missing or wrong.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{source}: is no JSON ({error}). Give it as Event Grid delivered it, or delete it."
        ) from None
    many = isinstance(found, list)
    events = found if many else [found]
    if not events:
        raise UsageError(f"{source}: holds no event, only an empty list.")
    return [
        _event(each, source, f"{number}." if many else "") for number, each in enumerate(events)
    ]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{file}: does not exist. Name a file with an event.") from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}).") from None


def _event(content: Any, source: str, place: str) -> Event:
    if not isinstance(content, dict):
        where = f", field `{place.rstrip('.')}`" if place else ""
        raise UsageError(f"{source}{where}: an event is an object, got {str(content)[:40]!r}.")
    type_field, time_field = ENVELOPES["eventType" not in content and "specversion" in content]
    kind = _required(content, type_field, source, place)
    if kind not in KINDS:
        raise UsageError(
            f"{source}, field `{place}{type_field}`: {kind[:80]!r} is no event of Azure Machine "
            f"Learning. There are {', '.join(KINDS)}."
        )
    data = content.get("data")
    if not isinstance(data, dict):
        problem = "is missing" if data is None else f"expected an object, got {str(data)[:40]!r}"
        raise UsageError(f"{source}, field `{place}data`: {problem}.")
    for name in FIELDS[KINDS[kind]]:
        _required(data, name, source, f"{place}data.")
    event = Event(
        id=_required(content, "id", source, place),
        kind=KINDS[kind],
        at=_required(content, time_field, source, place),
        subject=_text(content.get("subject")),
        data=cast("dict[str, Any]", data),
    )
    if event.kind in ("ModelRegistered", "ModelDeployed"):
        field = "ModelVersion" if event.kind == "ModelRegistered" else "ModelIds"
        if not event.models or not all(name and number for name, number in event.models):
            raise UsageError(
                f"{source}, field `{place}data.{field}`: {event.text(field)!r} names no version. "
                "Event Grid writes NAME:VERSION there, with commas between several."
            )
    return event


def _required(content: Mapping[str, Any], name: str, source: str, place: str) -> str:
    """A field that must be a text or a whole number, without regard to case."""
    value = _find(content, name)
    if not _text(value).strip():
        empty = value is None or value == ""
        problem = "is missing or empty" if empty else f"expected a text, got {str(value)[:40]!r}"
        raise UsageError(f"{source}, field `{place}{name}`: {problem}.")
    return _text(value)


def _find(content: Mapping[str, Any], name: str) -> Any:
    """A key as it is written, or else in other case."""
    if name in content:
        return content[name]
    return next((value for key, value in content.items() if key.lower() == name.lower()), None)


def _text(value: Any) -> str:
    """A text; a version is a number in some of Microsoft's samples, a text in its libraries."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
