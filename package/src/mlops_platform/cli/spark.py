"""Steps on Spark as commands: the same options, and the same evidence.

Folders may be addresses that Spark reads and writes, such as abfss://...
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from mlops_platform.cli.app import Served, app
from mlops_platform.core.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

spark = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Steps on Spark, for more data than one machine holds.",
)
app.add_typer(spark, name="spark")
Input = Annotated[str, typer.Option(help="Folder or file to read, or its address.")]
Output = Annotated[str, typer.Option(help="Folder to write to, or its address.")]
Conf = Annotated[str, typer.Option(help="Folder of settings, or its address.")]


class Place(NamedTuple):
    """A session of Spark, and folders of this machine for settings and outputs."""

    session: SparkSession
    conf: Path
    out: Path


@spark.command()
def validate(raw: Input, out: Output, conf: Conf = "conf") -> None:
    """Check the raw data against conf/data.yml."""
    with _started(conf, out) as place:
        from mlops_platform.spark import validate as step

        step.run(place.session, place.conf, raw, place.out)


@spark.command()
def prepare(raw: Input, validated: Input, out: Output, conf: Conf = "conf") -> None:
    """Split the data into train, validation and test."""
    with _started(conf, out) as place:
        from mlops_platform.spark import prepare as step

        step.run(place.session, place.conf, raw, place.out)


@spark.command()
def drift(current: Input, out: Output, version: Served = "champion", conf: Conf = "conf") -> None:
    """Compare current rows with training data."""
    with _started(conf, out) as place:
        from mlops_platform.spark import drift as step

        step.run(place.session, place.conf, current, place.out, version)


@contextmanager
def _started(conf: str, out: str) -> Iterator[Place]:
    try:
        from mlops_platform.spark import session, storage
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pyspark":
            raise
        raise UsageError(
            "Spark is not installed. Run the command with it: `uv run --with pyspark==3.5.9 mlops "
            "spark ...`. It needs Java 17, too."
        ) from None
    with session.opened() as opened:
        places = storage.Storage(opened)
        with (
            places.fetched(conf) as settings,
            session.shipped(opened, settings),
            places.written(out) as folder,
        ):
            yield Place(opened, settings, folder)
