"""Other programs: their arguments and their output, where Windows does it in its own way."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_platform.core.errors import UsageError

# For a child process: a Python there writes to a pipe in the code page of its system otherwise.
PYTHON_UTF8 = {"PYTHONIOENCODING": "utf-8"}
BATCH_FILES = {".bat", ".cmd"}
AZURE_BATCH_FILE = re.compile(r"az\.(bat|cmd)", re.IGNORECASE)
AZURE_CLI = ("-IBm", "azure.cli")  # as az.cmd calls it
READ_BY_CMD = re.compile(r'["%&<>()^|\r\n]')


def run(
    command: Sequence[str], folder: Path, *, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of the project's environment, or uv, in a folder; its output is text.

    Raises:
        UsageError: it cannot be started.
    """
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except OSError as error:
        advice = "Install it, or add it to PATH" if command[0] == "uv" else "Run `uv sync`"
        raise UsageError(f"{command[0]} cannot be started: {error}. {advice}.") from None


def command_line(path: str, arguments: Sequence[str]) -> list[str]:
    """The program at `path` with its arguments, for subprocess.

    On Windows `az` is a batch file. There cmd.exe reads the command line again, and takes some
    characters as its own: text in an argument could start a program, and no quotes prevent that
    reliably. So the batch file's own Python is called, if it is where the installer puts it;
    otherwise such an argument is refused.

    Raises:
        UsageError: the program is a batch file, and an argument has such a character.
    """
    if Path(path).suffix.lower() in BATCH_FILES:
        python = Path(path).parent.parent / "python.exe"
        if AZURE_BATCH_FILE.fullmatch(Path(path).name) and python.is_file():
            return [str(python), *AZURE_CLI, *arguments]
        for argument in arguments:
            if found := READ_BY_CMD.search(argument):
                raise UsageError(
                    f"{argument!r}: {found[0]!r} cannot be given to {path}, which is a batch "
                    "file; Windows would read it as its own. Write it without, or run this in CI."
                )
    return [path, *arguments]
