"""Commands for the checks of conf/ethics.yml and their signatures."""

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
ethics = typer.Typer(help="Check the last run against conf/ethics.yml.")
app.add_typer(ethics, name="ethics")


@ethics.callback(invoke_without_command=True)
def check(context: typer.Context, conf: Conf = CONF, as_json: Json = False) -> None:
    """Check the last run against conf/ethics.yml."""
    if context.invoked_subcommand is None:
        run_checks(conf, as_json=as_json)


def run_checks(conf: Path, *, as_json: bool) -> None:
    """Run all checks on outputs/, write and print the results, and tag the version.

    Raises:
        GateError: a check blocks the version.
    """
    from mlops_platform import evidence
    from mlops_platform.ethics import bundle, checks, release
    from mlops_platform.pipelines.outputs import require_latest
    from mlops_platform.report import build, collect

    results = checks.run_all(conf, OUTPUTS, datetime.now(UTC).date())
    path = OUTPUTS / checks.FOLDER / checks.FILE
    evidence.write(results, path)
    checked = collect.read_outputs(OUTPUTS, require_latest(OUTPUTS / "train"))
    build.write(conf, checked, OUTPUTS / build.FILE)
    digest = bundle.write(conf, OUTPUTS, results)
    version = release.tag_version(conf, results, digest)
    if as_json:
        print_json(results.model_dump(mode="json"))
    else:
        _print_results(results, path)
        bundle_path = OUTPUTS / checks.FOLDER / bundle.FILE
        terminal.out.print(
            f"for an auditor: {bundle_path}, SHA-256 of its manifest {digest}", markup=False
        )
        if version is not None:
            terminal.out.print(f"version {version.number}: ethics={results.verdict}")
    blocking = [each for each in results.checks if each.blocking]
    if blocking:
        raise GateError(
            f"{len(blocking)} of {len(results.checks)} checks block this version at stage "
            f"{results.stage}:\n"
            + "\n".join(f"  {each.id}: {each.message}. {each.next}" for each in blocking)
        )


@ethics.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle of `mlops ethics`.")],
    sha256: Annotated[
        str | None, typer.Option(help="SHA-256 of the manifest, as it was printed.")
    ] = None,
) -> None:
    """Verify that a bundle was not edited."""
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
    why: Annotated[str, typer.Option(help="What you looked at; stored with your name.")],
    conf: Conf = CONF,
) -> None:
    """Sign the answer to a manual check.

    The signature covers the results that `mlops ethics` showed last.
    """
    from mlops_platform import evidence
    from mlops_platform.ethics import checks, evaluated_run
    from mlops_platform.ethics import config as ethics_config
    from mlops_platform.ethics.kinds import signature_check
    from mlops_platform.evidence.ethics import Ethics

    project, ethics_settings = checks.load_settings(conf)
    manual_checks = [
        each
        for principle in ethics_settings.principles.values()
        for each in principle.checks
        if isinstance(each, ethics_config.ManualCheck)
    ]
    check_to_sign = next((each for each in manual_checks if each.id == name), None)
    if check_to_sign is None:
        raise UsageError(
            f"'{name}' is not a check that needs a signature; there are: "
            f"{', '.join(each.id for each in manual_checks) or 'none'}."
        )
    if check_to_sign.role != role:
        raise UsageError(f"--role '{role}': {name} is signed by the {check_to_sign.role}.")
    path = OUTPUTS / checks.FOLDER / checks.FILE
    if not path.is_file():
        raise UsageError(f"{path}: does not exist. Run `uv run poe ethics`: you sign its results.")
    results = evidence.read(Ethics, path)
    if evaluated_run.load(conf, OUTPUTS, ethics_settings, project).files != results.files:
        raise UsageError(
            f"the evidence changed after {path} was written. Run `uv run poe ethics` again, and "
            "review its results before you sign."
        )
    today = datetime.now(UTC).date()
    signature = signature_check.sign(
        conf, results, check_to_sign, by=by, answer=answer, why=why, today=today
    )
    terminal.out.print(
        f"{signature.by} signed {name} over evidence {signature.evidence[:12]}: {signature.answer}",
        markup=False,
    )


def _print_results(results: Ethics, path: Path) -> None:
    width = max(len(each.id) for each in results.checks)
    for principle in results.principles:
        terminal.out.print(f"\n{principle.name}: {principle.statement}", markup=False)
        for each in results.checks:
            if each.principle == principle.name:
                limit = f"; {each.limit}" if each.limit else ""
                line = f"  {_format_status(each):<22} {each.id:<{width}}  {each.message}{limit}"
                terminal.out.print(line, markup=False)
                if not each.accepted and not each.blocking:
                    terminal.out.print(f"  {'':<22} {'':<{width}}  next: {each.next}", markup=False)
    count = sum(each.accepted for each in results.checks)
    waived = sum(each.waived is not None for each in results.checks)
    terminal.out.print(
        f"\n{count} of {len(results.checks)} checks pass"
        + (f", {waived} of them by a waiver" if waived else "")
        + f"; stage {results.stage}"
        + (f"; {results.compliance}" if results.compliance else "")
        + f"; evidence {path}",
        markup=False,
    )


def _format_status(result: CheckResult) -> str:
    if result.waived is not None:
        return f"waived until {result.waived.expires}"
    if result.word == "failed" and not result.blocks:
        return "failed (reported)"
    return result.word
