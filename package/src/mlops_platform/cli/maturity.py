"""Commands for people: go or no-go, readiness, maturity, licences."""

# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mlops_platform.cli.app import CONF, Conf, Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

if TYPE_CHECKING:
    from mlops_platform.maturity.criteria import Judged
    from mlops_platform.maturity.measure import Measured
    from mlops_platform.maturity.sources import Sources

Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day of it, YYYY-MM-DD.")
]


@app.command()
def stage(
    *,
    to: Annotated[
        Literal["develop", "operate", "stop"] | None,
        typer.Argument(help="Where the project goes. Default: only show the criteria."),
    ] = None,
    why: Annotated[str, typer.Option(help="The reason; for `stop`, what was learnt.")] = "",
    by: Annotated[str | None, typer.Option(help="Who decides.")] = None,
    despite: Annotated[
        list[str] | None, typer.Option(help="A criterion that is not met; a person's name.")
    ] = None,
    until: Day = None,
    conf: Conf = CONF,
) -> None:
    """Decide to develop, to operate or to stop.

    Shows the criteria with their evidence, then writes conf/stage.yml and docs/decisions.md.
    """
    from mlops_platform.maturity import decide
    from mlops_platform.settings import stage as stages
    from mlops_platform.tracking.roles import current_user

    sources = _sources(conf)
    if to is None:
        if why or by or despite or until:
            raise UsageError("stage: to decide, say where: `uv run poe stage develop --why TEXT`.")
        _show_stage(sources)
        return
    if despite and not by:
        raise UsageError("--despite: needs --by NAME, who answers for it.")
    request = decide.Request(
        to, why, by or current_user(), tuple(despite or ()), until.date() if until else None
    )
    decision, judged = decide.decide(sources, request)
    _print_criteria(judged)
    exempt = "".join(f", {stages.tell(each, sources.today)}" for each in decision.despite)
    page = decide.PAGE.as_posix()
    terminal.out.print(
        f"{decision.to}: decided by {decision.by}{exempt}; commit conf/ and {page}",
        markup=False,
    )


@app.command()
def readiness(
    *,
    sign: Annotated[
        str | None, typer.Option(metavar="FACT", help="Vouch for what no program can measure.")
    ] = None,
    role: Annotated[str, typer.Option(help="With --sign: your role.")] = "",
    by: Annotated[str, typer.Option(help="With --sign: your name.")] = "",
    why: Annotated[str, typer.Option(help="With --sign: what you looked at.")] = "",
    until: Day = None,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Show each fact of readiness.

    Where its evidence is, and the command that makes it.
    """
    from mlops_platform.maturity import measure

    sources = _sources(conf)
    if sign is not None:
        _sign(sources, sign, (role, by, why), until.date() if until else None)
        return
    if role or by or why or until:
        raise UsageError("--role, --by, --why and --until: need --sign FACT, what you vouch for.")
    measured = measure.measure(sources)
    if as_json:
        print_json([each.plain() for each in measured])
        return
    _print_facts(measured)
    met = sum(each.verdict == "yes" for each in measured)
    unknown = sum(each.verdict == "unknown" for each in measured)
    said = f", {unknown} unknown here: look there, and vouch with --sign" if unknown else ""
    terminal.out.print(f"\n{met} of {len(measured)} facts{said}; {_stage(sources)}", markup=False)


@app.command()
def maturity(conf: Conf = CONF, as_json: Json = False) -> None:
    """Show the level of maturity, 0 to 4.

    That of each dimension, and what the next one lacks; writes it into README.md's marked line.
    """
    from mlops_platform.maturity import facts, levels, measure

    sources = _sources(conf)
    measured = measure.measure(sources)
    found = levels.of(measured)
    if as_json:
        print_json(
            {
                "level": found.overall,
                "dimensions": found.levels,
                "measured": sources.today.isoformat(),
                "stage": _stage(sources),
                "facts": [each.plain() for each in measured],
            }
        )
        return
    for dimension, level in found.levels.items():
        terminal.out.print(f"{dimension:<24} {level}  {facts.NAMES[level]}", markup=False)
    lacking = levels.missing(measured, found)
    if lacking:
        terminal.out.print("\nmissing for the next level:", markup=False)
        _print_facts(lacking)
    terminal.out.print(f"\n{levels.sentence(found)}; {_stage(sources)}", markup=False)
    if levels.write_line(sources.root / "README.md", found, sources.today):
        terminal.log("README.md shows the level")
    else:
        terminal.log(f"README.md has no line with {levels.MARK}, so it does not show the level")


@app.command()
def licences(
    everything: Annotated[
        bool, typer.Option("--all", help="Also tools, which the project does not deliver.")
    ] = False,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Show the licences of the packages.

    Exit code 1 if conf/reuse.yml denies one.
    """
    from mlops_platform.delivery import licences
    from mlops_platform.settings import Reuse, load_project, load_reuse

    load_project(conf)
    settings = (load_reuse(conf) or Reuse()).licences
    found = licences.look(conf.resolve().parent, settings, everything=everything)
    if as_json:
        print_json([vars(package) for package in found.packages])
    else:
        for licence, names in licences.by_licence(found.packages).items():
            terminal.out.print(f"{licence}: {', '.join(names)}", markup=False)
        for package in found.unknown:
            said = f"it says {package.said!r}" if package.said else "it says nothing"
            terminal.out.print(f"unknown: {package.name} {package.version}; {said}", markup=False)
    if found.absent:
        terminal.log(f"not installed here, so not looked at: {', '.join(found.absent)}")
    if found.unknown:
        terminal.log("look unknown ones up, and write them into conf/reuse.yml, `licences.known`")
    if not settings.deny:
        terminal.log(f"{conf / 'reuse.yml'}: nothing is denied; `licences.deny` does")
    if found.refused:
        raise GateError(
            "\n".join(
                f"{each.name} {each.version}: {each.licence} is denied by {conf / 'reuse.yml'}, "
                "`licences.deny`. Replace it, or change the list."
                for each in found.refused
            )
        )


def _sources(conf: Path) -> Sources:
    from mlops_platform import settings
    from mlops_platform.core.paths import project_root
    from mlops_platform.maturity.sources import Sources

    settings.load_project(conf)  # else facts of another folder are told first
    return Sources(project_root(conf), datetime.now(UTC).date())


def _stage(sources: Sources) -> str:
    from mlops_platform.settings import describe_stage

    return f"stage {describe_stage(sources.conf, sources.project.stage, sources.today)}"


def _show_stage(sources: Sources) -> None:
    from mlops_platform.maturity import criteria

    last = sources.decisions.last if sources.decisions else None
    terminal.out.print(_stage(sources), markup=False)
    if last is not None:
        terminal.out.print(f"decided on {last.date} by {last.by}: {last.why}", markup=False)
    following = criteria.next_of(sources.project.stage)
    judged = criteria.judge_all(sources, following)
    terminal.out.print(f"\nto {following}: {criteria.count(judged)}", markup=False)
    _print_criteria(judged)


def _print_criteria(judged: list[Judged]) -> None:
    width = max(len(each.criterion.id) for each in judged)
    for each in judged:
        criterion, finding = each
        line = f"  {each.state:<7}  {criterion.id:<{width}}  {finding.where}"
        following = "" if each.state == "met" else f"; next: {criterion.command}"
        terminal.out.print(line + following, markup=False)


def _print_facts(measured: list[Measured]) -> None:
    width = max(len(each.fact.id) for each in measured)
    dimension = ""
    for each in measured:
        if each.fact.dimension != dimension:
            dimension = each.fact.dimension
            terminal.out.print(f"\n{dimension}", markup=False)
        fact = each.fact
        line = f"  {each.verdict:<7}  {fact.level}  {fact.id:<{width}}  {each.finding.where}"
        following = "" if each.verdict == "yes" else f"; next: {fact.command}"
        terminal.out.print(line + following, markup=False)


def _sign(sources: Sources, name: str, given: tuple[str, str, str], until: date | None) -> None:
    from mlops_platform.maturity import measure, signed
    from mlops_platform.settings import parse

    fact = measure.require_signable(name, sources)
    if until is None:
        raise UsageError("--sign: needs --until DATE, when somebody looks again.")
    role, by, why = (text.strip() for text in given)
    content = {"fact": fact.id, "role": role, "by": by, "why": why, "until": until}
    signature = parse(signed.Signature, content, Path("--role, --by and --why"))
    signed.sign(sources.conf, signature, sources.today)
    terminal.out.print(
        f"{by} signed {fact.id} until {until}; commit {sources.conf.name}/{signed.FILE}",
        markup=False,
    )
