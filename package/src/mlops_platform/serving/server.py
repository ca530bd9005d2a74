"""Runs the endpoint until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.serving import store

if TYPE_CHECKING:
    import uvicorn

SECONDS_TO_FINISH = 10


def run(conf: Path, version: str, host: str, port: int) -> None:
    """Serve a version of the model; SIGTERM and Ctrl-C let running requests end first.

    Raises:
        UsageError: no such version, or the address cannot be had.
    """
    # Requests run beside each other already; threads within each of them would only get in the way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with _bind(host, port) as listener:
        server, name = _load(conf, version)
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn raises the signal again when it is done; unhandled, it would kill the process.
            signal.signal(number, server.handle_exit)
        address, bound = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        terminal.say(f"{name} serves on http://{shown}:{bound}")
        server.run(sockets=[listener])


def _load(conf: Path, version: str) -> tuple[uvicorn.Server, str]:
    """The server of a version, and the version's name."""
    # Only the look-up needs MLflow. In a process of its own it runs while this one imports the
    # rest, and its memory is given back.
    lookup = ProcessPoolExecutor(max_workers=1)
    found = lookup.submit(store.fetch, conf, version)
    try:
        import skops.io  # noqa: F401, PLC0415  the scorer needs it, and it takes a second
        import uvicorn  # noqa: PLC0415

        from mlops_platform.serving.app import create  # noqa: PLC0415
        from mlops_platform.serving.scorer import Scorer  # noqa: PLC0415

        scorer = Scorer(*found.result())
    except BrokenProcessPool:
        raise UsageError("the look-up of the model was killed. Is there memory left?") from None
    finally:
        lookup.shutdown(wait=False)

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        create(scorer),
        access_log=False,
        log_config=None,
        lifespan="off",  # there is nothing to open or close
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    return uvicorn.Server(config), f"{scorer.name} version {scorer.version}"


def _bind(host: str, port: int) -> socket.socket:
    """Take the address before the work of loading begins; it listens once the model is ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be served: {error.strerror}. Is something else running there? "
            "Choose another with --host and --port."
        ) from None
    return listener
