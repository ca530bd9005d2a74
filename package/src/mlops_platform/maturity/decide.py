"""Go or no-go: checks a decision, and writes it.

What counts is conf/stage.yml; docs/decisions.md is the same for readers, and `stage` in
conf/project.yml is how strict the gates are.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import write_text
from mlops_platform.maturity import signed
from mlops_platform.maturity.criteria import Judged, judge_all
from mlops_platform.maturity.sources import Sources, read
from mlops_platform.settings import Decision, Decisions, Exemption, parse
from mlops_platform.settings.stage import FILE, Next, tell

ORDER = ("explore", "develop", "operate")
PAGE = Path("docs") / "decisions.md"
HEADER = "# Written by `uv run poe stage`: the decisions to go on, or to stop. Commit this file.\n"
TITLE = (
    "# Decisions\n\nWritten by `uv run poe stage`, newest last; `conf/stage.yml` has the same for "
    "programs.\n"
)
TABLE = "| date | decision | by | why | commit | criteria |\n|---|---|---|---|---|---|\n"
ROWS = re.compile(re.escape(TABLE) + r"(?:\|.*\n)*")
STAGE_LINE = re.compile(r"""^(stage:[ \t]*)["']?\w+["']?""", re.MULTILINE)


@dataclass(frozen=True)
class Request:
    """A decision as it is asked for: `despite` are the criteria that are not met."""

    to: Next
    why: str
    by: str
    despite: tuple[str, ...] = ()
    until: datetime.date | None = None


def decide(sources: Sources, request: Request) -> tuple[Decision, list[Judged]]:
    """Write a decision, if its criteria are met or a person goes on despite them.

    To a stage before the present one, criteria are recorded and not required.

    Raises:
        GateError: a criterion is not met; nothing was written.
        UsageError: no reason, or an exemption that is not one.
    """
    if not request.why.strip():
        raise UsageError("--why: is empty. Write the reason; it is kept with the decision.")
    if not request.by.strip():
        raise UsageError("--by: is empty. Write the name of who decides.")
    request = dataclasses.replace(request, by=" ".join(request.by.split()))
    judged = judge_all(sources, request.to)
    exemptions = _exempt(request, judged, sources.today)
    if not _goes_back(sources, request.to):
        _require_met(request, judged)
    decision = Decision(
        to=request.to,
        why=" ".join(request.why.split()),
        by=request.by,
        date=sources.today,
        commit=sources.commit,
        criteria={each.criterion.id: each.state for each in judged},
        despite=exemptions,
    )
    _write(sources, decision)
    return decision, judged


def _exempt(
    request: Request, judged: Sequence[Judged], today: datetime.date
) -> tuple[Exemption, ...]:
    if not request.despite:
        if request.until is not None:
            raise UsageError("--until: needs --despite CRITERION, whose end it is.")
        return ()
    if request.until is None:
        raise UsageError("--despite: needs --until DATE, the day by which it is met.")
    signed.require_term(request.until, today)
    states = {each.criterion.id: each.state for each in judged}
    for name in request.despite:
        if name not in states:
            raise UsageError(f"--despite {name}: is no criterion; choose of {', '.join(states)}.")
        if states[name] == "met":
            raise UsageError(f"--despite {name}: is met. Leave it out.")
    return tuple(
        Exemption(criterion=name, by=request.by, until=request.until)
        for name in dict.fromkeys(request.despite)
    )


def _require_met(request: Request, judged: Sequence[Judged]) -> None:
    lacking = [
        each for each in judged if each.state != "met" and each.criterion.id not in request.despite
    ]
    if lacking:
        lines = [
            f"  {each.criterion.id}: {each.finding.where}. Next: {each.criterion.command}"
            for each in lacking
        ]
        raise GateError(
            "\n".join(
                [
                    f"to `{request.to}`: {len(lacking)} of {len(judged)} criteria are not met:",
                    *lines,
                    "A person may go on for a time: `--despite CRITERION --until DATE --by NAME`.",
                ]
            )
        )


def _goes_back(sources: Sources, to: Next) -> bool:
    """Whether the project goes to a stage below the present one; what was stopped starts again."""
    last = sources.decisions.last if sources.decisions else None
    if to == "stop" or (last and last.to == "stop"):
        return False
    return ORDER.index(to) < ORDER.index(sources.project.stage)


def _write(sources: Sources, decision: Decision) -> None:
    """The record last: an interruption leaves a line too many, and no decision without one."""
    before = sources.decisions or Decisions()
    content = [each.model_dump(mode="json") for each in (*before.decisions, decision)]
    parse(Decisions, {"decisions": content}, sources.conf / FILE)
    dumped = yaml.safe_dump({"decisions": content}, sort_keys=False, allow_unicode=True)
    page, project = sources.root / PAGE, sources.conf / "project.yml"
    text = read(page) if page.is_file() else TITLE
    changed = read(project)
    if decision.to != "stop":
        changed, count = STAGE_LINE.subn(rf"\g<1>{decision.to}", changed, count=1)
        if not count:
            raise UsageError(
                f"{project}, field `stage`: needs a line of its own, `stage: explore`."
            )
    write_text(page, _with_row(text, _row(decision, sources.today)))
    write_text(project, changed)
    write_text(sources.conf / FILE, HEADER + dumped)


def _with_row(text: str, row: str) -> str:
    """The page with a row at the end of its table, whatever people wrote before or after it."""
    text = text.rstrip("\n") + "\n"
    whole = text if TABLE in text else f"{text}\n{TABLE}"
    return ROWS.sub(lambda found: found[0] + row, whole, count=1)


def _row(decision: Decision, today: datetime.date) -> str:
    by_state = {
        state: [name for name, each in decision.criteria.items() if each == state]
        for state in ("met", "open", "unknown")
    }
    states = [f"{state}: {', '.join(names)}" for state, names in by_state.items() if names]
    cells = (
        str(decision.date),
        f"**{decision.to}**",
        decision.by,
        decision.why,
        decision.commit[:12] or "none",
        "; ".join([*states, *(tell(each, today) for each in decision.despite)]),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
