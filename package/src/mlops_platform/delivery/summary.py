"""The summary of a pipeline run: results, verdicts of the gates, and the next step."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mlops_platform import evidence, settings
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.settings.stage import tell

LABEL_PROBLEMS = {
    "duplicates": "that are there twice",
    "contradictions": "ids with several outcomes, which do not count",
    "unknown": "ids without a prediction",
    "invalid": "outcomes that cannot be read",
    "labels_without_id": "without an id",
}


def read_evidence(folders: dict[str, Path]) -> dict[str, Any]:
    """Read all evidence of a pipeline's steps, by file name without extension.

    Raises:
        UsageError: a file does not have the schema of its name, or a file of the team is not JSON.
    """
    return {
        path.stem: _read_file(path)
        for folder in folders.values()
        for path in sorted(folder.glob("evidence/*.json"))
    }


def _read_file(path: Path) -> Any:
    if shape := evidence.SHAPES.get(path.stem):
        return evidence.read(shape, path).model_dump(mode="json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON ({error}). Delete it and run again.") from None


def show(folders: dict[str, Path]) -> None:
    """Print the summary of a run."""
    collected = read_evidence(folders)
    if set(collected) == {"validation"}:
        rows = collected["validation"]["rows"]
        terminal.out.print(f"{rows} rows follow the data contract", markup=False)
    if "evaluation" in collected:
        _print_evaluation(collected["evaluation"])
    if "comparison" in collected:
        comparison = collected["comparison"]
        terminal.out.print(f"{comparison['decision']}: {comparison['reason']}", markup=False)
    if "registration" in collected:
        _print_registration(collected["registration"])
    if "batch" in collected:
        _print_batch(collected["batch"], folders)
    for folder in folders.values():
        for page in folder.glob("*/report.html"):
            terminal.out.print(f"report: {os.path.relpath(page)}", markup=False)
    if "drift" in collected:
        drift = collected["drift"]
        terminal.out.print(f"{drift['verdict']}: {drift['message']}", markup=False)
    if "truth" in collected:
        _print_truth(collected["truth"])


def markdown(collected: dict[str, Any]) -> str:
    """Summarize a run in Markdown: metrics beside the champion's, gates and their verdicts.

    Raises:
        UsageError: there was no run, or it was interrupted before the first gate.
    """
    if "evaluation" not in collected:
        return _describe_stop(collected)
    evaluation, comparison = collected["evaluation"], collected.get("comparison")
    champion = comparison["champion_measures"] if comparison else {}
    lines = ["## Training", ""]
    if comparison:
        lines += [f"**{comparison['decision'].capitalize()}**: {comparison['reason']}.", ""]
    lines += ["| metric | this model | interval | champion |", "|---|---|---|---|"]
    for measure in evaluation["measures"]:
        low, high, champion_number = measure["low"], measure["high"], champion.get(measure["name"])
        interval = "none" if low is None else f"{low:.4f} to {high:.4f}"
        empty = "none" if comparison else "not compared"
        champion_value = empty if champion_number is None else f"{champion_number:.4f}"
        lines.append(
            f"| {measure['name']} | {measure['value']:.4f} | {interval} | {champion_value} |"
        )
    lines += ["", "| gate | verdict | |", "|---|---|---|"]
    for verdict in [*evaluation["verdicts"], *(comparison["verdicts"] if comparison else [])]:
        lines.append(f"| {verdict['gate']} | {_format_verdict(verdict)} | {verdict['message']} |")
    return "\n".join(lines) + "\n"


def exemptions(decisions: settings.Decisions | None) -> str:
    """What the project goes on despite, in Markdown; empty if there is nothing."""
    lines = [f"- {tell(each)}" for each in (decisions.exemptions if decisions else ())]
    return "\n".join(["", "This project goes on", "", *lines, ""]) if lines else ""


def _describe_stop(collected: dict[str, Any]) -> str:
    """Describe a run that the data contract or the constant baseline stopped."""
    findings = collected.get("validation", {}).get("findings", [])
    reasons = [f"column `{each['column']}`: {each['message']}" for each in findings]
    trained = collected.get("training")
    if trained and trained["outcome"] != "trained":
        reasons = [
            f"{trained['metric']} on the validation set is {trained['value']:.4f}, a constant "
            f"baseline has {trained['baseline']:.4f}"
        ]
    if not reasons:
        raise UsageError("the last run has no evaluation. Run `uv run poe pipeline` first.")
    step = "training" if trained else "the data contract"
    return "\n".join(
        ["## Training", "", f"**Stopped** by {step}:", "", *map("- {}".format, reasons), ""]
    )


def _format_verdict(verdict: dict[str, Any]) -> str:
    return "passed" if verdict["passed"] else "FAILED" if verdict["blocks"] else "reported"


def _print_batch(scored: dict[str, Any], folders: dict[str, Path]) -> None:
    resumed = ", resumed after an interruption" if scored["resumed"] else ""
    terminal.out.print(
        f"{scored['model']} version {scored['version']}: {scored['scored']} of {scored['rows']} "
        f"rows scored, {scored['rejected']} rejected, in {scored['seconds']:.1f} s{resumed}",
        markup=False,
    )
    for path in sorted(path for folder in folders.values() for path in folder.glob("scores/*.csv")):
        terminal.out.print(str(path), markup=False)


def _print_truth(truth: dict[str, Any]) -> None:
    for version in truth["versions"]:
        text = f"version {version['version']}, {version['role']}: {version['verdict']}"
        terminal.out.print(f"{text}: {version['message']}", markup=False)
    if not truth["versions"]:
        terminal.out.print(
            "no prediction is kept yet: `uv run poe batch` and the endpoint keep them", markup=False
        )
    for name, words in LABEL_PROBLEMS.items():
        if truth[name]:
            terminal.out.print(f"labels: {truth[name]} {words}", markup=False)


def _print_registration(registration: dict[str, Any]) -> None:
    role = registration["role"]
    known = "" if registration["new"] else " (registered before)"
    named = f"{registration['model']} version {registration['version']}"
    terminal.out.print(f"{named}: {role}{known}", markup=False)
    if role == "rolled_back":
        hint = "It comes from the same code, settings and data: change them, then train again."
    elif role != "challenger":
        return
    elif settings.load_project(Path("conf")).stage == "explore":
        hint = "Make it champion with `uv run poe promote`."
    else:
        hint = "When `uv run poe ethics` passes, `uv run poe promote` makes it champion."
    terminal.out.print(hint, markup=False)


def _print_evaluation(evaluation: dict[str, Any]) -> None:
    for measure in evaluation["measures"]:
        has_interval = measure["low"] is not None
        interval = (
            f"({measure['low']:.4f} to {measure['high']:.4f})" if has_interval else "(no interval)"
        )
        terminal.out.print(
            f"{measure['name']:>20} {measure['value']:.4f}  {interval}", markup=False
        )
    for verdict in evaluation["verdicts"]:
        terminal.out.print(f"{_format_verdict(verdict)}: {verdict['message']}", markup=False)
