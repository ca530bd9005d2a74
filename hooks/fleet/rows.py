"""The state of a project as one row: as text, table or JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from mlops_platform.pipelines.outputs import newest
from rich.table import Table
from rich.text import Text

State = Literal["current", "behind", "updated", "there already", "by hand", "failed"]
COLOURS = {"current": "green", "updated": "green", "there already": "green", "behind": "yellow"}


@dataclass(frozen=True)
class Row:
    """A project of the list.

    `place` is the address as it was given, `folder` the clone on this machine. `state` is "failed"
    if the project could not be read or updated, and "by hand" if a person has to act; `note` says
    why. `gates` lists the gates that passed and failed in the last run on this machine; None if
    there was no run.
    """

    place: str
    name: str
    state: State = "failed"
    note: str = ""
    folder: str = ""
    template: str = ""
    version: str = ""
    newest: str = ""
    drift: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    stage: str = ""
    gates: dict[str, list[str]] | None = None
    team: str = ""
    contact: str = ""
    branch: str = ""
    pull_request: str = ""
    seconds: float = 0.0

    def needs_attention(self) -> bool:
        """Whether a person has to act."""
        return self.state in ("by hand", "failed")


def read_gates(outputs: Path) -> dict[str, list[str]] | None:
    """The verdicts of the last run of each pipeline in `outputs`.

    A project of an earlier template has one run, without a folder of its own.
    """
    passed: list[str] = []
    failed: list[str] = []
    runs = [newest(home) or home for home in sorted(outputs.glob("*/"))]
    for path in (path for run in runs for path in sorted(run.glob("*/evidence/*.json"))):
        try:
            for verdict in json.loads(path.read_text(encoding="utf-8")).get("verdicts", []):
                (passed if verdict["passed"] else failed).append(str(verdict["gate"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            failed.append(f"{path.name} cannot be read")
    return {"passed": passed, "failed": failed} if passed or failed else None


def gates_text(row: Row) -> str:
    """The gates as a short text."""
    if row.gates is None:
        return "unknown" if row.state == "failed" else "not run here"
    passed, failed = row.gates["passed"], row.gates["failed"]
    failures = f"; not passed: {', '.join(failed)}" if failed else ""
    return f"{len(passed)} of {len(passed) + len(failed)} passed{failures}"


def printable(text: str) -> str:
    """The text without characters that move a terminal's cursor or break a page."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(sign if sign.isprintable() else "?" for sign in valid)


def as_json(rows: Sequence[Row]) -> str:
    """All rows for machines; `shape` holds the version of the format."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    projects = [asdict(row) for row in rows]
    return json.dumps({"shape": "fleet/1", "made": made, "projects": projects}, indent=2)


def state_table(rows: Sequence[Row]) -> Table:
    """The table of `fleet status`."""
    table = _table("project", "state", "version", "newest", "drift", "conflicts", "gates", "owner")
    for row in rows:
        numbers = [row.version, row.newest, str(len(row.drift)), str(len(row.conflicts))]
        gates = f"{row.stage}, {gates_text(row)}" if row.stage else gates_text(row)
        owner = f"{row.team} {row.contact}".strip()
        table.add_row(_text(row.name), _state(row), *map(_text, [*numbers, gates, owner]))
    return table


def outcome_table(rows: Sequence[Row]) -> Table:
    """The table of `fleet update`."""
    table = _table("project", "state", "from", "to", "branch", "seconds")
    for row in rows:
        cells = [row.version, row.newest, row.branch, f"{row.seconds:.1f}"]
        table.add_row(_text(row.name), _state(row), *map(_text, cells))
    return table


def details(row: Row) -> list[str]:
    """Lines below a table: what to do about a row, and the files that matter."""
    lines = [f"{row.place}: {row.note}"] if row.note else []
    lines += [f"{row.place}: {row.pull_request}"] if row.pull_request else []
    lines += [f"  drift      {name}" for name in row.drift]
    lines += [f"  conflict   {name}" for name in row.conflicts]
    return [printable(line) for line in lines]


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")  # nothing is cut off
    return table


def _state(row: Row) -> Text:
    return Text(row.state, style=COLOURS.get(row.state, "red"))


def _text(cell: str) -> Text:
    return Text(printable(cell))
