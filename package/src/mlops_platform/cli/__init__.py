"""The command line. Exit codes: 0 passed, 1 a gate failed, 2 wrong use."""

from __future__ import annotations

import gc
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import typer

from mlops_platform.cli import azure, daily, ethics, settings, specs, steps, template, versions
from mlops_platform.cli.app import app, invoke
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

__all__ = [
    "app",
    "application",
    "azure",
    "daily",
    "ethics",
    "invoke",
    "main",
    "settings",
    "specs",
    "steps",
    "template",
    "versions",
]


def application(root: Path) -> typer.Typer:
    """The commands of the project in `root`; Azure's only where it has `azureml/`."""
    known = [group.name for group in app.registered_groups]
    if (root / "azureml").is_dir() and "azure" not in known:
        app.add_typer(azure.azure, name="azure")
    return app


def main() -> NoReturn:
    """Run the command line and end the process."""
    gc.set_threshold(50_000, 20, 50)  # imports leave much that lives on: to look it over takes 10 %
    try:
        application(Path.cwd())(prog_name="mlops")
    except GateError as error:
        terminal.say(f"FAILED  {error}")
        sys.exit(1)
    except (UsageError, OSError) as error:
        terminal.say(f"ERROR  {error}")
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        sys.exit(2)  # Python's own 1 would say that a gate looked and said no
    finally:
        gc.freeze()  # at its end Python would look all of it over once more, for half a second
    sys.exit(0)
