"""A session of Spark: that of `spark-submit`, or one on this machine."""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from mlops_platform.core.errors import UsageError
from mlops_platform.models import team

MASTER = "MLOPS_SPARK"
PLATFORM = Path(__file__).resolve().parents[1]


@contextmanager
def opened() -> Iterator[SparkSession]:
    """A session of Spark, which ends with the block.

    Without `spark-submit` it works on this machine, with all cores, or as the environment variable
    MLOPS_SPARK says, such as `local[2]`.

    Raises:
        UsageError: Spark cannot start, for lack of Java.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("mlops").config("spark.ui.showConsoleProgress", "false")
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # which spark-submit sets
        master = os.environ.get(MASTER, "local[*]")
        builder = builder.master(master).config("spark.ui.enabled", "false")
        builder = builder.config("spark.driver.maxResultSize", "0")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.driver.host", "127.0.0.1")
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise UsageError(
            f"Spark cannot start ({error.getErrorClass()}): it needs Java 17. Set JAVA_HOME, or "
            "install it, in Debian with `apt-get install openjdk-17-jre-headless`."
        ) from None
    try:
        yield session
    finally:
        session.stop()


@contextmanager
def shipped(session: SparkSession, conf: Path) -> Iterator[None]:
    """Give the workers the platform's code, and the team's; on this machine they see it anyway.

    Raises:
        UsageError: the team's package cannot be found.
    """
    context = session.sparkContext
    with tempfile.TemporaryDirectory() as folder:  # a worker may ask for them at any time
        if not str(context.master).startswith("local["):
            for package in (PLATFORM, team.load_team(conf).folder):
                context.addPyFile(str(_archive(package, Path(folder))))
        yield


def _archive(package: Path, folder: Path) -> Path:
    """The folder of a package as an archive that Python imports from."""
    archive = folder / f"{package.name}.zip"
    if package.parent.is_file():  # a wheel, which is such an archive
        archive.write_bytes(package.parent.read_bytes())
        return archive
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                file.write(path, path.relative_to(package.parent))
    return archive
