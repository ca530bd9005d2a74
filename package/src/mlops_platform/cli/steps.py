"""The steps of the pipelines, each as a command: folders in, folders out."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, Served, app, pairs

In = Annotated[Path, typer.Option(help="Folder or file to read.")]
Out = Annotated[Path, typer.Option(help="Folder to write evidence to.")]
Made = Annotated[Path, typer.Option(help="Folder to write to.")]
Trigger = Annotated[str, typer.Option(help="Why it runs; kept with the run.")]
STEPS = "Steps of the pipelines"


@app.command(rich_help_panel=STEPS)
def validate(raw: In, out: Out, conf: Conf = CONF) -> None:
    """Hold the raw data against the contract in conf/data.yml."""
    from mlops_platform.steps import validate as step

    step.run(conf, raw, out)


@app.command(rich_help_panel=STEPS)
def prepare(raw: In, validated: In, out: Out, conf: Conf = CONF) -> None:
    """Split the data into train, validation and test."""
    from mlops_platform.steps import prepare as step

    step.run(conf, raw, out)


@app.command(rich_help_panel=STEPS)
def train(
    *,
    data: In,
    model: Made,
    out: Out,
    trigger: Trigger = "manual",
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE in place of that in conf/train.yml.")
    ] = None,
    conf: Conf = CONF,
) -> None:
    """Fit the model and hold it against a constant baseline."""
    from mlops_platform.steps import train as step

    step.run(conf, data, model, out, trigger, tried=pairs("--parameter", parameter))


@app.command(rich_help_panel=STEPS)
def evaluate(data: In, model: In, out: Out, conf: Conf = CONF) -> None:
    """Measure the model on the test set."""
    from mlops_platform.steps import evaluate as step

    step.run(conf, data, model, out)


@app.command(rich_help_panel=STEPS)
def compare(data: In, model: In, evaluation: In, out: Out, conf: Conf = CONF) -> None:
    """Compare the new model with the champion."""
    from mlops_platform.steps import compare as step

    step.run(conf, data, model, evaluation, out)


@app.command(rich_help_panel=STEPS)
def register(model: In, evaluation: In, comparison: In, out: Out, conf: Conf = CONF) -> None:
    """Register the model as challenger, or as rejected."""
    from mlops_platform.steps import register as step

    step.run(conf, model, evaluation, comparison, out)


@app.command(rich_help_panel=STEPS)
def page(
    *,
    validated: In,
    data: In,
    trained: In,
    evaluation: In,
    comparison: In,
    registration: In,
    out: Out,
    conf: Conf = CONF,
) -> None:
    """Make the report of one run from its steps' evidence."""
    from mlops_platform.report import build, collect

    folders = [validated, data, trained, evaluation, comparison, registration]
    build.write(conf, collect.from_folders(folders), out / build.FILE)


@app.command(rich_help_panel=STEPS)
def score(
    data: In,
    scores: Annotated[Path, typer.Option(help="Folder to write scores and rejects to.")],
    out: Out,
    version: Served = "champion",
    conf: Conf = CONF,
) -> None:
    """Score a CSV file, or a folder of them."""
    from mlops_platform.steps import score as step

    step.run(conf, data, version, scores, out)


@app.command(rich_help_panel=STEPS)
def drift(current: In, out: Out, version: Served = "champion", conf: Conf = CONF) -> None:
    """Compare current rows with what a version was trained on."""
    from mlops_platform.steps import drift as step

    step.run(conf, current, out, version)


@app.command(rich_help_panel=STEPS)
def tables(data: In, train: Made, test: Made) -> None:
    """Make tables of Azure ML from the divided data."""
    from mlops_platform.steps import tables as step

    step.run(data, train, test)


@app.command(rich_help_panel=STEPS)
def mask(raw: In, replica: Made, out: Out, conf: Conf = CONF) -> None:
    """Copy raw data without what identifies people; the key is in MLOPS_MASK_KEY."""
    from mlops_platform.steps import mask as step

    step.run(conf, raw, replica, out)
