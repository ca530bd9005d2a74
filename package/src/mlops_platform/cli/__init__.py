"""The command line. Exit codes: 0 passed, 1 a gate failed, 2 usage error."""

from __future__ import annotations

import gc
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import typer

from mlops_platform.cli import (
    alerts,
    azure,
    daily,
    dashboard,
    data,
    deck,
    ethics,
    events,
    infrastructure,
    maturity,
    settings,
    spark,
    specs,
    start,
    steps,
    template,
    versions,
)
from mlops_platform.cli.app import app, invoke
from mlops_platform.core import terminal
from mlops_platform.core.errors import CodeError, GateError, UsageError
from mlops_platform.core.files import write_text
from mlops_platform.core.paths import STATE

__all__ = [
    "alerts",
    "app",
    "application",
    "azure",
    "daily",
    "dashboard",
    "data",
    "deck",
    "ethics",
    "events",
    "infrastructure",
    "invoke",
    "main",
    "maturity",
    "settings",
    "spark",
    "specs",
    "start",
    "steps",
    "template",
    "versions",
]

ERROR_LOG = Path(STATE) / "error.log"


def application(root: Path) -> typer.Typer:
    """The commands for the project in `root`; those of Azure only if it has `azureml/`."""
    known = [group.name for group in app.registered_groups]
    if (root / "azureml").is_dir() and "azure" not in known:
        app.add_typer(azure.azure, name="azure")
    return app


def _keep_details(error: CodeError) -> str:
    """Write the traceback to a file of the project, and return the sentence that names it.

    Outside a project, for instance in a job of Azure ML, it is printed: the job's log keeps it.
    """
    if not Path("conf", "project.yml").is_file():
        terminal.log(error.details)
        return ""
    write_text(ERROR_LOG, error.details)
    return f"\nThe whole traceback is in {ERROR_LOG.as_posix()}."


def main() -> NoReturn:
    """Run the command line and end the process."""
    gc.set_threshold(
        50_000, 20, 50
    )  # imported objects stay alive: collecting them takes 10 % of the time
    terminal.escape_what_cannot_be_printed()
    try:
        application(Path.cwd())(prog_name="mlops")
    except GateError as error:
        terminal.log(f"FAILED  {error}")
        sys.exit(1)
    except (UsageError, OSError) as error:
        kept = _keep_details(error) if isinstance(error, CodeError) else ""
        terminal.log(f"ERROR  {error}{kept}")
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        sys.exit(2)  # Python's own exit code 1 would mean a failed gate
    finally:
        gc.freeze()  # otherwise Python collects everything at exit, which takes half a second
    sys.exit(0)
