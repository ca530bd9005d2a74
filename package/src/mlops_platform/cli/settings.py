"""The check of the files in conf/."""

# ruff: noqa: PLC0415

from __future__ import annotations

from mlops_platform.cli.app import CONF, Conf, Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError


@app.command()
def settings(conf: Conf = CONF, as_json: Json = False) -> None:
    """Are the files in conf/ right? All faults at once; exit code 1 for any."""
    from mlops_platform.cli import settings_check

    faults = settings_check.faults(conf)
    if as_json:
        print_json(faults)
    if faults:
        raise GateError("\n".join([f"faults in {conf}:", *faults]))
    if not as_json:
        terminal.out.print(f"all settings in {conf} are right", markup=False)
