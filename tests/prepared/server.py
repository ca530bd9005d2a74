"""The prepared process: it imports what commands import, and forks for each that asks.

It runs in the projects' environment, and ends with the tests.
"""

import atexit
import importlib
import json
import os
import runpy
import socket
import sys
import threading
import traceback

# Of the libraries, not the platform package: each command imports that from where it is.
LIBRARIES = (
    "mlflow.tracking",
    "mlflow.store.db.utils",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "pandas",
    "pandera.pandas",
    "scipy.stats",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.inspection",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "skops.io",
    "typer",
    "yaml",
)


def prepare() -> None:
    """Import the libraries, as the platform package would."""
    os.environ["MLFLOW_LOGGING_LEVEL"] = "ERROR"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "3"
    for name in LIBRARIES:
        importlib.import_module(name)


def serve(address: str) -> None:
    """Fork for each that asks, as long as the tests go on."""
    own, tests = address + ".new", os.getppid()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(own)
        listener.listen(16)
        os.rename(own, address)  # noqa: PTH104
        listener.settimeout(5)  # seconds
        while os.getppid() == tests:
            reap()
            try:
                link, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                link.settimeout(None)
                listener.close()
                become(link)
            link.close()


def reap() -> None:
    """Let forks go that have ended; their processor time then counts as this process's."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:  # there is none
        return


def become(link: socket.socket) -> None:
    """Be the command of the one that asked."""
    head, files, _, _ = socket.recv_fds(link, 4, 3)
    body = b""
    while len(body) < int.from_bytes(head, "big"):
        body += link.recv(1 << 20)
    asked = json.loads(body)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    script = asked["words"][0]
    sys.argv, sys.orig_argv = asked["words"], [sys.executable, *asked["words"]]
    sys.path[:] = [os.path.dirname(script), *asked["path"]]  # noqa: PTH120
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        file = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
        file.reconfigure(line_buffering=number == 2)
        setattr(sys, name, file)
    code: object = 0
    try:
        runpy.run_path(script, None, "__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if isinstance(code, str):
        print(code, file=sys.stderr, flush=True)
    link.sendall(bytes([code if isinstance(code, int) else int(code is not None)]))
    os._exit(0)


if __name__ == "__main__":
    prepare()
    serve(sys.argv[1])
