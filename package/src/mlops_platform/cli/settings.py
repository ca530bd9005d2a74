"""The check of the files in conf/."""

# ruff: noqa: PLC0415

from __future__ import annotations

from mlops_platform.cli.app import CONF, Conf, Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError


@app.command()
def settings(conf: Conf = CONF, as_json: Json = False) -> None:
    """Validate the files in conf/.

    Shows all problems at once; exit code 1 if there are any.
    """
    from mlops_platform.cli import settings_check
    from mlops_platform.template import patches

    problems = settings_check.find_problems(conf)
    if not problems:  # they compare a file in conf/ with pyproject.toml
        problems = patches.find_problems(conf.resolve().parent)
    if as_json:
        print_json(problems)
    if problems:
        raise GateError("\n".join([f"problems in {conf}:", *problems]))
    if not as_json:
        terminal.out.print(f"all settings in {conf} are valid", markup=False)
