"""Commands for daily work: pipelines, report, endpoint, monitor."""

# ruff: noqa: PLC0415

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import (
    CONF,
    TRAIN,
    Conf,
    Json,
    Served,
    Why,
    app,
    parse_pairs,
    print_json,
)
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

MONITOR = Path("pipelines/monitor.yml")
TRUTH = Path("pipelines/truth.yml")


@app.command()
def run(
    pipeline: Annotated[Path, typer.Argument(help="A pipeline's YAML file.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="NAME=VALUE: replaces the value of an input."),
    ] = None,
    process_per_step: Annotated[
        bool, typer.Option(help="Run each step in its own process.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a pipeline on this machine."""
    from mlops_platform.cli import pipelines
    from mlops_platform.delivery import summary

    if not pipeline.is_file():
        existing = ", ".join(path.as_posix() for path in sorted(Path("pipelines").glob("*.yml")))
        hint = "Run the command in the project's folder."
        if existing:
            hint = f"There are {existing}."
        if existing and pipeline.name == "batch.yml":
            hint += " `uv run poe template-update --data serving=both` adds this one."
        raise UsageError(f"{pipeline}: there is no such pipeline. {hint}")
    replaced = parse_pairs("--input", inputs)
    folders = pipelines.run(pipeline, replaced, process_per_step=process_per_step)
    if as_json:
        print_json(summary.read_evidence(folders))
    else:
        summary.show(folders)


@app.command()
def report(
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    conf: Conf = CONF,
) -> None:
    """Write outputs/report.html.

    It contains the evidence of the last training that ended, of the last monitor and of the last
    verdicts on outcomes, and the role that the version has now.
    """
    from mlops_platform.report import build, collect, current

    path = Path("outputs") / build.FILE
    build.write(conf, current.with_role(conf, collect.read_outputs(Path("outputs"))), path)
    terminal.out.print(str(path), markup=False)
    if open_it:
        typer.launch(str(path))


@app.command()
def package() -> None:
    """Build the wheel and test it.

    The test installs it in a clean environment.
    """
    from mlops_platform.delivery import wheel as packaging

    for path in packaging.build(Path.cwd()):
        terminal.out.print(path.relative_to(Path.cwd()).as_posix(), markup=False)


@app.command()
def summary(
    comment: Annotated[
        bool, typer.Option("--comment", help="Also comment on the pull request of this job.")
    ] = False,
) -> None:
    """Show the last training: metrics and gates.

    In CI, it is also on the page of the job.
    """
    from mlops_platform.core.files import write_text
    from mlops_platform.delivery import job_page, pull_request
    from mlops_platform.delivery import summary as summaries
    from mlops_platform.pipelines.outputs import newest
    from mlops_platform.settings import load_decisions

    last = newest(Path("outputs", "train"))
    folders = {path.name: path for path in last.glob("*")} if last else {}
    text = summaries.markdown(summaries.read_evidence(folders))
    text += summaries.exemptions(load_decisions(CONF))
    path = Path("outputs", "summary.md")
    write_text(path, text)
    terminal.out.print(text, markup=False, end="")
    job_page.add_summary(path)
    if comment and not pull_request.comment(text):
        raise UsageError("--comment: this is not a job of a pull request. Leave the option out.")


@app.command()
def serve(
    version: Served = "champion",
    host: Annotated[
        str, typer.Option(help="Address; 0.0.0.0 is reachable from the network and needs a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 selects a free one.", min=0, max=65535)] = 8000,
    *,
    key_file: Annotated[
        Path | None,
        typer.Option(
            envvar="MLOPS_SERVE_KEY_FILE",
            help="File with the key that requests must send. Or set MLOPS_SERVE_KEY.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="In an image: the folder of the model. No registry is needed."),
    ] = None,
    conf: Conf = CONF,
) -> None:
    """Serve predictions over HTTP."""
    from mlops_platform.alerts import state
    from mlops_platform.serving import server

    verdicts = partial(state.verdicts, Path("outputs").resolve())
    server.run(conf, model or version, host, port, key_file, verdicts=verdicts)


@app.command()
def image(version: Served = "champion", conf: Conf = CONF) -> None:
    """Write the folder to build an image of the endpoint in.

    The image runs without a cloud; it holds one version of the model.
    """
    from mlops_platform.delivery import image as images

    folder, tag = images.write(conf, version)
    terminal.out.print(f"docker build --tag {tag} {folder.as_posix()}", markup=False)


@app.command()
def monitor(
    current: Annotated[
        Path | None, typer.Option(help="File or folder of current rows. Default: data/raw.")
    ] = None,
    version: Served = "champion",
    then_retrain: Annotated[
        bool, typer.Option("--retrain", help="On drift, and with new rows, train a challenger.")
    ] = False,
) -> None:
    """Check for data drift.

    Drift ends with exit code 1, also if a challenger was trained.
    """
    from mlops_platform.cli import pipelines
    from mlops_platform.delivery import summary

    inputs = {"version": version} | ({"current": str(current)} if current else {})
    try:
        summary.show(pipelines.run(MONITOR, inputs))
    except GateError as error:
        if not then_retrain:
            raise
        from mlops_platform.cli import retraining

        terminal.log(f"DRIFT  {error}")
        retraining.run(TRAIN, "drift", drift=str(error).splitlines()[0].rstrip(":"))
        raise GateError(
            "the data has drifted, see above. A model was trained for it; the champion is the same."
        ) from error


@app.command()
def truth(
    labels: Annotated[
        Path | None,
        typer.Option(help="File or folder with ids and outcomes. Default: that of conf/truth.yml."),
    ] = None,
    as_of: Annotated[str, typer.Option(help="Day of the verdicts: 2026-11-30.")] = "today",
    then_retrain: Annotated[
        bool,
        typer.Option("--retrain", help="If broken, and with new rows, train a challenger."),
    ] = False,
) -> None:
    """Judge versions on outcomes that came later.

    A champion that is broken ends with exit code 1.
    """
    from mlops_platform.cli import pipelines
    from mlops_platform.delivery import summary
    from mlops_platform.truth import config

    path = labels or Path(config.load(CONF).labels)
    if not path.exists():
        named = "--labels" if labels else f"{CONF / config.FILE}, field `labels`"
        raise UsageError(f"{named}: there is no {path}. Name a file or folder with id and target.")
    try:
        summary.show(pipelines.run(TRUTH, {"labels": str(path), "as_of": as_of}))
    except GateError as error:
        if not then_retrain:
            raise
        from mlops_platform.cli import retraining

        terminal.log(f"BROKEN  {error}")
        retraining.run(TRAIN, "real outcomes")
        raise GateError(
            "the champion is broken, see above. A model was trained; the champion is the same."
        ) from error


@app.command()
def retrain(why: Why) -> None:
    """Train a challenger manually.

    The reason is stored with the run.
    """
    from mlops_platform.cli import pipelines
    from mlops_platform.delivery import summary

    summary.show(pipelines.run(TRAIN, {"trigger": why}))
