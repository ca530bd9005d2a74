"""The few lines at the end of a pipeline: what came out, which gates passed, what to do next."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mlops_platform import evidence, settings
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines import runner


def evidence_of(folders: dict[str, Path]) -> dict[str, Any]:
    """All evidence of a pipeline's steps, by the file's name without its ending.

    Raises:
        UsageError: a file is not of the shape that its name says, or one of the team's is no JSON.
    """
    return {
        path.stem: _read(path)
        for folder in folders.values()
        for path in sorted(folder.glob("evidence/*.json"))
    }


def _read(path: Path) -> Any:
    if shape := evidence.SHAPES.get(path.stem):
        return evidence.read(shape, path).model_dump(mode="json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON ({error}). Delete it and run again.") from None


def run_and_show(pipeline: Path, invoke: runner.Invoke, inputs: dict[str, str]) -> None:
    """Run one of the project's pipelines here, and print what came out."""
    show(runner.run(pipeline, root=Path.cwd(), invoke=invoke, overrides=inputs))


def show(folders: dict[str, Path]) -> None:
    """Print what the evidence says."""
    found = evidence_of(folders)
    if set(found) == {"validation"}:
        rows = found["validation"]["rows"]
        terminal.out.print(f"{rows} rows follow the data contract", markup=False)
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
            then = "Make it champion with `uv run poe promote`."
            if settings.load_project(Path("conf")).stage != "explore":
                then = "When `uv run poe ethics` passes, `uv run poe promote` makes it champion."
            terminal.out.print(then, markup=False)
    if "batch" in found:
        _batch(found["batch"], folders)
    for folder in folders.values():
        for page in folder.glob("*/report.html"):
            terminal.out.print(f"report: {os.path.relpath(page)}", markup=False)
    if "drift" in found:
        seen = found["drift"]
        terminal.out.print(f"{seen['verdict']}: {seen['message']}", markup=False)


def markdown(found: dict[str, Any]) -> str:
    """A run's evidence for a page: metrics beside the champion's, gates with their verdicts.

    Raises:
        UsageError: there was no run, or it was broken off before a gate looked at it.
    """
    if "evaluation" not in found:
        return _stopped(found)
    evaluation, compared = found["evaluation"], found.get("comparison")
    champion = compared["champion_measures"] if compared else {}
    lines = ["## Training", ""]
    if compared:
        lines += [f"**{compared['decision'].capitalize()}**: {compared['reason']}.", ""]
    lines += ["| metric | this model | interval | champion |", "|---|---|---|---|"]
    for measure in evaluation["measures"]:
        low, high, before = measure["low"], measure["high"], champion.get(measure["name"])
        interval = "none" if low is None else f"{low:.4f} to {high:.4f}"
        without = "none" if compared else "not compared"
        shown = without if before is None else f"{before:.4f}"
        lines.append(f"| {measure['name']} | {measure['value']:.4f} | {interval} | {shown} |")
    lines += ["", "| gate | verdict | |", "|---|---|---|"]
    for verdict in [*evaluation["verdicts"], *(compared["verdicts"] if compared else [])]:
        lines.append(f"| {verdict['gate']} | {_word(verdict)} | {verdict['message']} |")
    return "\n".join(lines) + "\n"


def _stopped(found: dict[str, Any]) -> str:
    """A run that the data contract or the constant baseline stopped."""
    broken = found.get("validation", {}).get("findings", [])
    why = [f"column `{each['column']}`: {each['message']}" for each in broken]
    trained = found.get("training")
    if trained and trained["outcome"] != "trained":
        why = [
            f"{trained['metric']} on the validation set is {trained['value']:.4f}, a constant "
            f"baseline has {trained['baseline']:.4f}"
        ]
    if not why:
        raise UsageError("the last run has no evaluation. Run `uv run poe pipeline` first.")
    step = "training" if trained else "the data contract"
    return "\n".join(
        ["## Training", "", f"**Stopped** by {step}:", "", *map("- {}".format, why), ""]
    )


def _word(verdict: dict[str, Any]) -> str:
    return "passed" if verdict["passed"] else "FAILED" if verdict["blocks"] else "reported"


def _batch(scored: dict[str, Any], folders: dict[str, Path]) -> None:
    resumed = ", going on from where a run was interrupted" if scored["resumed"] else ""
    terminal.out.print(
        f"{scored['model']} version {scored['version']}: {scored['scored']} of {scored['rows']} "
        f"rows scored, {scored['rejected']} rejected, in {scored['seconds']:.1f} s{resumed}",
        markup=False,
    )
    for path in sorted(path for folder in folders.values() for path in folder.glob("scores/*.csv")):
        terminal.out.print(str(path), markup=False)


def _evaluation(evaluation: dict[str, Any]) -> None:
    for measure in evaluation["measures"]:
        known = measure["low"] is not None
        interval = f"({measure['low']:.4f} to {measure['high']:.4f})" if known else "(no interval)"
        terminal.out.print(
            f"{measure['name']:>20} {measure['value']:.4f}  {interval}", markup=False
        )
    for verdict in evaluation["verdicts"]:
        terminal.out.print(f"{_word(verdict)}: {verdict['message']}", markup=False)
