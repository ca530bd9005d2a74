"""The few lines at the end of a pipeline: what came out, which gates passed, what to do next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import terminal


def evidence_of(folders: dict[str, Path]) -> dict[str, Any]:
    """All evidence of a pipeline's steps, by the file's name without its ending."""
    found: dict[str, Any] = {}
    for folder in folders.values():
        for path in sorted(folder.glob("evidence/*.json")):
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found


def show(folders: dict[str, Path]) -> None:
    """Print what the evidence says."""
    found = evidence_of(folders)
    if "evaluation" in found:
        _evaluation(found["evaluation"])
    if "comparison" in found:
        compared = found["comparison"]
        terminal.out.print(f"{compared['decision']}: {compared['reason']}", markup=False)
    if "registration" in found:
        made = found["registration"]
        terminal.out.print(
            f"{made['model']} version {made['version']}: {made['role']}"
            + ("" if made["new"] else " (registered before)"),
            markup=False,
        )
        if made["role"] == "challenger":
            terminal.out.print("Make it champion with `uv run poe promote`.")


def _evaluation(evaluation: dict[str, Any]) -> None:
    for measure in evaluation["measures"]:
        terminal.out.print(
            f"{measure['name']:>20} {measure['value']:.4f}"
            f"  ({measure['low']:.4f} to {measure['high']:.4f})",
            markup=False,
        )
    for verdict in evaluation["verdicts"]:
        word = "passed" if verdict["passed"] else "FAILED" if verdict["blocks"] else "reported"
        terminal.out.print(f"{word}: {verdict['message']}", markup=False)
