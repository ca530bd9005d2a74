"""The checks of conf/ethics.yml, and the signatures under them."""

# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

if TYPE_CHECKING:
    from mlops_platform.evidence.ethics import CheckResult, Ethics

OUTPUTS = Path("outputs")
ethics = typer.Typer(help="Hold the last run against conf/ethics.yml; sign what only people know.")
app.add_typer(ethics, name="ethics")


@ethics.callback(invoke_without_command=True)
def check(context: typer.Context, conf: Conf = CONF, as_json: Json = False) -> None:
    """Hold the last run against conf/ethics.yml."""
    if context.invoked_subcommand is None:
        hold(conf, as_json=as_json)


def hold(conf: Path, *, as_json: bool) -> None:
    """Run all checks on what lies in outputs/, write and show what they found, tag the version.

    Raises:
        GateError: something stops the version.
    """
    from mlops_platform import evidence
    from mlops_platform.ethics import bundle, judge, release
    from mlops_platform.report import build, collect

    found = judge.judge(conf, OUTPUTS, datetime.now(UTC).date())
    path = OUTPUTS / judge.FOLDER / judge.FILE
    evidence.write(found, path)
    build.write(conf, collect.from_outputs(OUTPUTS), OUTPUTS / build.FILE)
    digest = bundle.write(conf, OUTPUTS, found)
    version = release.record(conf, found, digest)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found, path)
        kept = OUTPUTS / judge.FOLDER / bundle.FILE
        terminal.out.print(
            f"for an auditor: {kept}, SHA-256 of its manifest {digest}", markup=False
        )
        if version is not None:
            terminal.out.print(f"version {version.number}: ethics={found.verdict}")
    stops = [each for each in found.checks if each.stops]
    if stops:
        raise GateError(
            f"{len(stops)} of {len(found.checks)} checks stop this version at stage "
            f"{found.stage}:\n"
            + "\n".join(f"  {each.id}: {each.message}. {each.next}" for each in stops)
        )


@ethics.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle of `mlops ethics`.")],
    sha256: Annotated[
        str | None, typer.Option(help="SHA-256 of the manifest, as it was printed.")
    ] = None,
) -> None:
    """Was a file in a bundle of evidence edited?"""
    from mlops_platform.ethics import bundle

    manifest, digest = bundle.verify(path, sha256)
    terminal.out.print(
        f"{len(manifest.files)} files as they were written on {manifest.made}, of run "
        f"{manifest.run_id[:12]}; SHA-256 of the manifest {digest}",
        markup=False,
    )


@ethics.command()
def sign(
    *,
    name: Annotated[str, typer.Argument(metavar="CHECK", help="The check's id.")],
    role: Annotated[str, typer.Option(help="The role that conf/ethics.yml asks for.")],
    by: Annotated[str, typer.Option(help="Your name.")],
    answer: Annotated[str, typer.Option(help="yes or no.")],
    why: Annotated[str, typer.Option(help="What you looked at. Kept with your name.")],
    conf: Conf = CONF,
) -> None:
    """Sign the answer to a question, over the evidence that `mlops ethics` showed last."""
    from mlops_platform import evidence
    from mlops_platform.ethics import case, judge, page
    from mlops_platform.ethics.kinds import manual
    from mlops_platform.evidence.ethics import Ethics

    project, read = judge.page_of(conf)
    asked = [
        each
        for principle in read.principles.values()
        for each in principle.checks
        if isinstance(each, page.Manual)
    ]
    chosen = next((each for each in asked if each.id == name), None)
    if chosen is None:
        raise UsageError(
            f"'{name}' is no check that is signed; there are: "
            f"{', '.join(each.id for each in asked) or 'none'}."
        )
    if chosen.role != role:
        raise UsageError(f"--role '{role}': {name} is signed by the {chosen.role}.")
    path = OUTPUTS / judge.FOLDER / judge.FILE
    if not path.is_file():
        raise UsageError(f"{path}: not there. Run `uv run poe ethics`: you sign what it shows.")
    seen = evidence.read(Ethics, path)
    if case.load(conf, OUTPUTS / "train", read, project).files != seen.files:
        raise UsageError(
            f"the evidence changed after {path} was written. Run `uv run poe ethics` again, and "
            "look at it before you sign."
        )
    today = datetime.now(UTC).date()
    made = manual.sign(conf, seen, chosen, by=by, answer=answer, why=why, today=today)
    terminal.out.print(
        f"{made.by} signed {name} over evidence {made.evidence[:12]}: {made.answer}", markup=False
    )


def _show(found: Ethics, path: Path) -> None:
    wide = max(len(each.id) for each in found.checks)
    for principle in found.principles:
        terminal.out.print(f"\n{principle.name}: {principle.statement}", markup=False)
        for each in found.checks:
            if each.principle == principle.name:
                limit = f"; {each.limit}" if each.limit else ""
                line = f"  {_word(each):<22} {each.id:<{wide}}  {each.message}{limit}"
                terminal.out.print(line, markup=False)
                if not each.holds and not each.stops:
                    terminal.out.print(f"  {'':<22} {'':<{wide}}  next: {each.next}", markup=False)
    count = sum(each.holds for each in found.checks)
    waived = sum(each.waived is not None for each in found.checks)
    terminal.out.print(
        f"\n{count} of {len(found.checks)} checks hold"
        + (f", {waived} of them by a waiver" if waived else "")
        + f"; stage {found.stage}"
        + (f"; {found.compliance}" if found.compliance else "")
        + f"; evidence {path}",
        markup=False,
    )


def _word(result: CheckResult) -> str:
    if result.waived is not None:
        return f"waived until {result.waived.expires}"
    if result.word == "failed" and not result.blocks:
        return "failed (reported)"
    return result.word
