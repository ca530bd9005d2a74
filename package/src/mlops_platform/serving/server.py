"""Runs the endpoint until it is stopped."""

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

SHUTDOWN_TIMEOUT = 10


def run(conf: Path, version: str, host: str, port: int) -> None:
    """Serve a version of the model; SIGTERM and Ctrl-C let running requests finish.

    Raises:
        UsageError: no such version, or the address is not available.
    """
    # Requests run in parallel already; threads within each request would slow them down.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with _bind(host, port) as listener:
        server, name = _load(conf, version)
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn raises the signal again when it is done; unhandled, it would kill the process.
            signal.signal(number, server.handle_exit)
        address, bound = listener.getsockname()[:2]
        shown_address = f"[{address}]" if ":" in address else address
        terminal.log(f"{name} serves on http://{shown_address}:{bound}")
        server.run(sockets=[listener])


def _load(conf: Path, version: str) -> tuple[uvicorn.Server, str]:
    """The server of a version, and the version's name."""
    # Only the look-up needs MLflow. Its own process runs while this one imports the rest, and its
    # memory is freed afterwards.
    lookup = ProcessPoolExecutor(max_workers=1)
    result = lookup.submit(store.fetch, conf, version)
    try:
        import skops.io  # noqa: F401, PLC0415  the scorer needs it, and it takes a second
        import uvicorn  # noqa: PLC0415

        from mlops_platform.serving.app import create  # noqa: PLC0415
        from mlops_platform.serving.scorer import Scorer  # noqa: PLC0415

        scorer = Scorer(*result.result())
    except BrokenProcessPool:
        raise UsageError(
            "the process that looks up the model was killed. Check the free memory."
        ) from None
    except UsageError:
        lookup.shutdown()  # if both processes end at once, concurrent.futures prints a traceback
        raise
    finally:
        lookup.shutdown(wait=False)

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        create(scorer),
        access_log=False,
        log_config=None,
        lifespan="off",  # there is nothing to open or close
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
    return uvicorn.Server(config), f"{scorer.name} version {scorer.version}"


def _bind(host: str, port: int) -> socket.socket:
    """Bind the address before loading the model; it listens when the model is ready."""
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
            f"{host}:{port} cannot be served: {error.strerror}. If another process uses it, "
            "choose another one with --host and --port."
        ) from None
    return listener
