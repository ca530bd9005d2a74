"""What happens around each request: its identity, the key, the log, the metrics, and exceptions."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from http import HTTPMethod
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlops_platform.serving import keys, log, trace
from mlops_platform.serving.metrics import Metrics
from mlops_platform.serving.scorer import Scorer

PROBES = ("/live", "/ready", "/health")  # what asks for them knows no key
PATHS = ("/score", "/metrics", "/docs", "/openapi.json", *PROBES)
CLIENT_CLOSED_REQUEST = 499
logger = logging.getLogger(__name__)


class Middleware:
    """Handles each request. Its line in the log has no text of the client's, and no unknown path.

    While the endpoint stops, each answer closes its connection, so that none is cut off.
    """

    def __init__(
        self,
        app: ASGIApp,
        scorer: Scorer,
        metrics: Metrics,
        key: str | None,
        stopping: threading.Event,
    ) -> None:
        self.app, self.scorer, self.metrics = app, scorer, metrics
        self.key, self.stopping = key, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in PATHS else "other"
        headers = Headers(scope=scope)
        identity = trace.start(headers.getlist("x-request-id"), headers.getlist("traceparent"))
        status = 0

        async def send_and_record(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *identity.headers]
                if self.stopping.is_set():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        start = time.perf_counter()
        try:
            app = self.app if self._is_allowed(path, headers) else self._unauthorized()
            await app(scope, receive, send_and_record)
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
        except asyncio.CancelledError:  # the time for running requests is over
            if not status:
                content = self.scorer.problem("the endpoint stopped before it had the answer")
                await JSONResponse(content, 503)(scope, receive, send_and_record)
        except Exception as error:
            _log_exception(path, error, identity)
            if not status:  # else the response has started and can only be cut off
                content = self.scorer.problem("an unexpected error, see the server's log")
                response = JSONResponse(content, 500)
                await response(scope, receive, send_and_record)
        finally:
            seconds = time.perf_counter() - start
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(seconds)
            fields = {
                "method": scope["method"] if scope["method"] in set(HTTPMethod) else "other",
                "path": path,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                **identity.fields,
            }
            logger.info("request", extra={log.FIELDS: fields})

    def _is_allowed(self, path: str, headers: Headers) -> bool:
        if self.key is None or path in PROBES:
            return True
        return keys.is_given(self.key, headers.getlist("authorization"))

    def _unauthorized(self) -> JSONResponse:
        content = self.scorer.problem("send the key, as `Authorization: Bearer KEY`")
        # What remains of a body is not read.
        return JSONResponse(
            content, 401, headers={"WWW-Authenticate": "Bearer", "Connection": "close"}
        )


def _log_exception(path: str, error: Exception, identity: trace.Trace) -> None:
    """Log where an exception is from; its text may quote a value."""
    cause = error.__cause__ or error
    frames = "".join(traceback.format_tb(cause.__traceback__))
    fields: dict[str, Any] = identity.fields
    name = type(cause).__name__
    logger.error("%s failed with %s\n%s", path, name, frames, extra={log.FIELDS: fields})
