"""Stands in each Python of the environment: `mlops` goes on in a fork of the prepared process.

Every Python there reads it at its start, so it imports little.
"""

import os
import sys

# One does not end by itself, the other must show that another process comes to the same.
ALONE = {"serve", "reproduce"}
HARMLESS = {"PYTHONUNBUFFERED"}  # other variables of Python's own act before a fork begins


def main() -> None:
    """Ask, if this is `mlops`; returns if it has to run by itself."""
    words, address = sys.orig_argv[1:], os.environ.get("COPIER_MLOPS_PREPARED", "")
    script = os.path.join(sys.prefix, "bin", "mlops")  # noqa: PTH118  pathlib takes 10 ms to import
    if (
        words
        and os.path.abspath(words[0]) == script  # noqa: PTH100
        and not ALONE & set(words[1:2])
        and not {name for name in os.environ if name.startswith("PYTHON")} - HARMLESS
        and os.path.exists(address)  # noqa: PTH110
        and same_libraries(os.path.dirname(__file__))  # noqa: PTH120
    ):
        ask(words, address)


def same_libraries(folder: str) -> bool:
    """Whether all libraries are there that were when the process was prepared."""
    with open(os.path.join(folder, "_prepared.txt")) as file:  # noqa: PTH118, PTH123
        return set(file.read().split("\n")) <= set(os.listdir(folder))  # noqa: PTH208


def ask(words: list[str], address: str) -> None:
    """Let a fork run the command, and end as it ends; returns if nobody answers."""
    import json  # noqa: PLC0415
    import socket  # noqa: PLC0415

    given = {"words": words, "path": sys.path, "environ": dict(os.environ)}
    given["folder"] = os.getcwd()  # noqa: PTH109
    body = json.dumps(given).encode()
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(address)
        except OSError:
            return
        socket.send_fds(link, [len(body).to_bytes(4, "big")], [0, 1, 2])
        link.sendall(body)
        code = link.recv(1)
    os._exit(code[0] if code else 137)  # none: the fork was killed
