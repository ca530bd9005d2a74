"""Runs a command in a forked process, which need not import again what this one has.

Of the two seconds that a command takes, most go into importing Copier and compiling paths.
"""

import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import plumbum


def run(
    script: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script of Python in `folder` with this environment, in a session of its own."""
    return _fork(
        [script, *arguments], folder, environment, lambda: runpy.run_path(script, None, "__main__")
    )


def run_migration(
    script: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a migration's script in `folder`; it may import the scripts beside it."""

    def start() -> None:
        home = Path(script).parent
        for other in home.glob("*.py"):
            sys.modules.pop(other.stem, None)  # those of another release
        sys.path.insert(0, str(home))
        runpy.run_path(script, None, "__main__")

    return _fork([script, *arguments], folder, environment, start)


def run_hooks(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the `hooks` package of the clone in `folder` there, in a session of its own."""

    def start() -> None:
        for name in [name for name in sys.modules if name.split(".")[0] == "hooks"]:
            del sys.modules[name]  # the clone has its own
        sys.path.insert(0, str(folder))
        runpy.run_module("hooks", run_name="__main__")

    return _fork(["hooks", *arguments], folder, {**os.environ, **environment}, start)


def run_here(
    start: Callable[[], object], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a function in `folder` with this environment; an error in it is printed, and code 1."""
    return _fork([start.__name__], folder, environment, start)


def _fork(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], start: Callable[[], object]
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            _become(words, folder, environment, start)
        status = os.waitpid(child, 0)[1]
        for stream in (out, err):
            stream.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(words, code, out.read(), err.read())


def _become(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], start: Callable[[], object]
) -> NoReturn:
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=encoding, closefd=False)  # noqa: SIM115
    code: object = 0
    try:  # whatever happens, this process must not go on with the tests
        os.setsid()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        plumbum.local.env.clear()
        plumbum.local.env.update(environment)  # Copier's git; it copied the environment on import
        sys.argv = list(words)
        start()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)
