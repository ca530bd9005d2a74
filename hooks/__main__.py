"""The command of the platform team: `uv run python -m hooks COMMAND ...`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from mlops_platform.core.terminal import escape_what_cannot_be_printed


class Command(NamedTuple):
    """A sub-command: the module whose `main` runs it, and a line of help."""

    module: str
    help: str


COMMANDS = {
    "adopt": Command("hooks.adopt.command", "bring an existing repository under the template"),
    "fleet": Command("hooks.fleet.command", "show the state of many projects, update them"),
    "release": Command("hooks.release.command", "check a release, tag it, publish its wheel"),
    "ownership": Command("hooks.ownership", "write what is generated from the file owners"),
    "specs": Command("hooks.specs", "write the Azure ML specs that are generated from conf/"),
    "wheel": Command("hooks.wheel", "build the platform package's wheel into the template"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command with the arguments that follow it; returns its exit code."""
    escape_what_cannot_be_printed()
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = parser().parse_args(words[:1]).command
    module = importlib.import_module(COMMANDS[name].module)  # only this one: they load a lot
    return int(module.main(words[1:]))


def parser() -> argparse.ArgumentParser:
    """The first word of the command line; each command reads the rest with a parser of its own."""
    lines = [f"  {name:10} {command.help}" for name, command in COMMANDS.items()]
    top = argparse.ArgumentParser(
        prog="python -m hooks",
        usage="%(prog)s COMMAND ...",
        description="Tools for the platform team. Nothing here runs by itself.",
        epilog="\n".join(["commands:", *lines, "", "COMMAND --help shows its options."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("command", metavar="COMMAND", choices=COMMANDS, help="one of those below")
    return top


if __name__ == "__main__":
    sys.exit(main())
