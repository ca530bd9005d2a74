"""The steps of the pipelines as commands: folders in, folders out."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, Served, app, parse_pairs

InputPath = Annotated[Path, typer.Option(help="Folder or file to read.")]
EvidenceFolder = Annotated[Path, typer.Option(help="Folder to write evidence to.")]
OutputFolder = Annotated[Path, typer.Option(help="Folder to write to.")]
Trigger = Annotated[str, typer.Option(help="Why it runs; stored with the run.")]
STEPS = "Steps of the pipelines"


@app.command(rich_help_panel=STEPS)
def validate(raw: InputPath, out: EvidenceFolder, conf: Conf = CONF) -> None:
    """Check the raw data against conf/data.yml."""
    from mlops_platform.steps import validate as step

    step.run(conf, raw, out)


@app.command(rich_help_panel=STEPS)
def prepare(raw: InputPath, validated: InputPath, out: EvidenceFolder, conf: Conf = CONF) -> None:
    """Split the data into train, validation and test."""
    from mlops_platform.steps import prepare as step

    step.run(conf, raw, out)


@app.command(rich_help_panel=STEPS)
def train(
    *,
    data: InputPath,
    model: OutputFolder,
    out: EvidenceFolder,
    trigger: Trigger = "manual",
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: replaces one in conf/train.yml.")
    ] = None,
    conf: Conf = CONF,
) -> None:
    """Fit the model.

    It must be better than a constant baseline.
    """
    from mlops_platform.steps import train as step

    step.run(conf, data, model, out, trigger, overrides=parse_pairs("--parameter", parameter))


@app.command(rich_help_panel=STEPS)
def evaluate(data: InputPath, model: InputPath, out: EvidenceFolder, conf: Conf = CONF) -> None:
    """Measure the model on the test set."""
    from mlops_platform.steps import evaluate as step

    step.run(conf, data, model, out)


@app.command(rich_help_panel=STEPS)
def compare(
    data: InputPath, model: InputPath, evaluation: InputPath, out: EvidenceFolder, conf: Conf = CONF
) -> None:
    """Compare the new model with the champion."""
    from mlops_platform.steps import compare as step

    step.run(conf, data, model, evaluation, out)


@app.command(rich_help_panel=STEPS)
def register(
    model: InputPath,
    evaluation: InputPath,
    comparison: InputPath,
    out: EvidenceFolder,
    conf: Conf = CONF,
) -> None:
    """Register the model as a version.

    It becomes challenger, or rejected.
    """
    from mlops_platform.steps import register as step

    step.run(conf, model, evaluation, comparison, out)


@app.command(rich_help_panel=STEPS)
def page(
    *,
    validated: InputPath,
    data: InputPath,
    trained: InputPath,
    evaluation: InputPath,
    comparison: InputPath,
    registration: InputPath,
    out: EvidenceFolder,
    conf: Conf = CONF,
) -> None:
    """Write the report of one run.

    The evidence of its steps is the input.
    """
    from mlops_platform.report import build, collect

    folders = [validated, data, trained, evaluation, comparison, registration]
    build.write(conf, collect.read_folders(folders), out / build.FILE)


@app.command(rich_help_panel=STEPS)
def score(
    data: InputPath,
    scores: Annotated[Path, typer.Option(help="Folder to write scores and rejects to.")],
    out: EvidenceFolder,
    version: Served = "champion",
    conf: Conf = CONF,
) -> None:
    """Score a CSV file, or a folder of them."""
    from mlops_platform.steps import score as step

    step.run(conf, data, version, scores, out)


@app.command(rich_help_panel=STEPS)
def drift(
    current: InputPath, out: EvidenceFolder, version: Served = "champion", conf: Conf = CONF
) -> None:
    """Compare current rows with training data."""
    from mlops_platform.steps import drift as step

    step.run(conf, current, out, version)


@app.command(rich_help_panel=STEPS)
def judge(
    *,
    labels: Annotated[Path, typer.Option(help="File or folder with ids and outcomes.")],
    out: EvidenceFolder,
    collected: Annotated[
        Path | None, typer.Option(help="Folder of Azure's data collector, to import before.")
    ] = None,
    as_of: Annotated[str, typer.Option(help="Day of the verdict: 2026-11-30.")] = "today",
    conf: Conf = CONF,
) -> None:
    """Judge kept predictions on their outcomes."""
    from mlops_platform.steps import judge as step

    step.run(conf, labels, out, collected=collected, as_of=as_of)


@app.command(rich_help_panel=STEPS)
def tables(
    *,
    data: InputPath,
    train: OutputFolder,
    test: OutputFolder,
    reference: Annotated[
        Path | None, typer.Option(help="Folder for the training rows with their labels.")
    ] = None,
    conf: Conf = CONF,
) -> None:
    """Convert the split data to MLTable."""
    from mlops_platform.steps import tables as step

    step.run(conf, data, train, test, reference)


@app.command(rich_help_panel=STEPS)
def mask(raw: InputPath, replica: OutputFolder, out: EvidenceFolder, conf: Conf = CONF) -> None:
    """Copy raw data with masked identifiers.

    The key is in MLOPS_MASK_KEY.
    """
    from mlops_platform.steps import mask as step

    step.run(conf, raw, replica, out)
