"""Runs the endpoint until it is stopped."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.models import team
from mlops_platform.serving import keys, log, store
from mlops_platform.truth import config as truths

if TYPE_CHECKING:
    from mlops_platform.serving.draining import DrainingServer
    from mlops_platform.serving.metrics import Verdicts
    from mlops_platform.serving.scorer import Scorer
    from mlops_platform.serving.store import StoredModel
    from mlops_platform.truth.recorder import Recorder


def run(
    conf: Path,
    version: str | Path,
    host: str,
    port: int,
    key_file: Path | None,
    *,
    verdicts: Verdicts | None = None,
) -> None:
    """Serve a version of the model; SIGTERM and Ctrl-C let running requests finish.

    Args:
        conf: the project's settings.
        version: its number, `champion`, or the folder `model` that `mlops image` writes.
        host: the address; one that the network reaches needs a key.
        port: 0 selects a free one.
        key_file: the file with the key, if it is not in the environment.
        verdicts: what the last monitor and late labels say of a version, for the metrics.

    Raises:
        UsageError: no such version, no key where one is needed, or the address is not available.
    """
    # Requests run in parallel already; threads within each request would slow them down.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    key = keys.load(key_file)
    with _bind(host, port, key) as listener:
        with _without_collection():
            server, name, recorder = _load(conf, version, key, verdicts)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)  # uvicorn's come when it runs
        address, bound = listener.getsockname()[:2]
        shown_address = f"[{address}]" if ":" in address else address
        log.start()
        terminal.log(f"{name} serves on http://{shown_address}:{bound}")
        try:
            server.run(sockets=[listener])
        finally:
            if recorder is not None:
                recorder.close()


def _load(
    conf: Path, version: str | Path, key: str | None, verdicts: Verdicts | None = None
) -> tuple[DrainingServer, str, Recorder | None]:
    """The server of a version, the version's name, and what keeps its predictions."""
    with _looking_up(conf, version) as find:
        import skops.io  # noqa: F401, PLC0415  the scorer needs it, and it takes a second
        import uvicorn  # noqa: PLC0415

        from mlops_platform.serving.app import create  # noqa: PLC0415
        from mlops_platform.serving.connections import protocol  # noqa: PLC0415
        from mlops_platform.serving.draining import GRACE_SECONDS, DrainingServer  # noqa: PLC0415
        from mlops_platform.serving.scorer import Scorer  # noqa: PLC0415

        scorer = Scorer(*find())
    recorder = _recorder(conf, scorer)

    stopping = threading.Event()
    config = uvicorn.Config(
        create(scorer, key, stopping, recorder, verdicts),
        http=protocol({"model": scorer.name, "version": scorer.version}),
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # nothing asks for the client's address
        server_header=False,
        lifespan="off",  # there is nothing to open or close
        timeout_keep_alive=65,  # longer than the 60 s of usual load balancers: the client closes
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    name = f"{scorer.name} version {scorer.version}"
    return DrainingServer(config, stopping), name, recorder


def _recorder(conf: Path, scorer: Scorer) -> Recorder | None:
    """What keeps the predictions, if conf/truth.yml says that the endpoint does.

    Raises:
        UsageError: the ledger's folder cannot be written.
    """
    truth = truths.load(conf)
    if not truth.endpoint:
        return None
    from mlops_platform.truth.ledger import Ledger  # noqa: PLC0415
    from mlops_platform.truth.recorder import Recorder  # noqa: PLC0415

    return Recorder(Ledger.of(conf), truth, version=scorer.version, contract=scorer.contract)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep all that the block makes: to search it for garbage takes a tenth of the start.

    Later searches pass over it, and hold up no request.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _looking_up(conf: Path, version: str | Path) -> Iterator[Callable[[], StoredModel]]:
    """Look up a version while the block runs; the function that it yields waits for the model.

    Where that needs MLflow, a process does it while this one imports the rest, and its memory is
    freed afterwards.
    """
    known = _find_without_mlflow(conf, version)
    if known is not None:
        yield lambda: known
        return
    receiver, sender = Pipe(duplex=False)
    lookup = Process(target=_send_model, args=(conf, version, sender))
    lookup.start()
    sender.close()  # so that receiving fails if the process ends without an answer
    try:
        yield lambda: _receive_model(receiver)
    finally:
        receiver.close()
        lookup.join()


def _find_without_mlflow(conf: Path, version: str | Path) -> StoredModel | None:
    """The model in an image, or the champion if it is known; None if MLflow must be asked."""
    if isinstance(version, Path):
        return store.find_in_image(version, team.load_team(conf))
    return store.recall(conf) if version == "champion" else None


def _receive_model(receiver: Connection) -> StoredModel:
    try:
        found: StoredModel | UsageError | GateError = receiver.recv()
    except EOFError:
        raise UsageError(
            "the process that looks up the model ended without an answer. If no error is shown "
            "above, it was killed: check the free memory."
        ) from None
    if isinstance(found, UsageError | GateError):
        raise found
    return found


def _send_model(conf: Path, version: str, sender: Connection) -> None:
    """Send the model of a version, or what is wrong with it, to the process that serves it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends both; only one of them says so
    found: StoredModel | UsageError | GateError
    try:
        found = store.fetch(conf, version)
    except (UsageError, GateError) as error:
        found = error
    sender.send(found)


def _bind(host: str, port: int, key: str | None) -> socket.socket:
    """Bind the address before loading the model; it listens when the model is ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        keys.require(host, str(address[0]), key)
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
