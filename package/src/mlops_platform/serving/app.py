"""The HTTP endpoint: /score, /health, /metrics, and /openapi.json.

Feature values never get into a log: there is no access log (/metrics counts requests), and the
line about an unexpected exception omits its text, which may quote a value.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlops_platform.serving.requests import MAX_BYTES, MAX_ROWS, RequestError
from mlops_platform.serving.scorer import Scorer

PATHS = ("/score", "/health", "/metrics", "/openapi.json")
CLIENT_CLOSED_REQUEST = 499
log = logging.getLogger(__name__)


class ClassPrediction(BaseModel):
    """The most probable label, and the probability of each; `id` only if the row had one."""

    id: str | int | None = None
    label: str
    probabilities: dict[str, float]


class ValuePrediction(BaseModel):
    """The predicted value; `id` only if the row had one."""

    id: str | int | None = None
    value: float


class ClassAnswer(BaseModel):
    """Predictions in the order of the rows, and the model that made them."""

    model: str
    version: str
    predictions: list[ClassPrediction]


class ValueAnswer(BaseModel):
    """Predictions in the order of the rows, and the model that made them."""

    model: str
    version: str
    predictions: list[ValuePrediction]


class FaultShown(BaseModel):
    """What is wrong, in which row (counted from 1) and field; null for the whole body."""

    row: int | None
    field: str | None
    message: str


class Problem(BaseModel):
    """Why there is no prediction; `faults` are those of the request."""

    model: str
    version: str
    error: str
    faults: list[FaultShown] = []


class Health(BaseModel):
    """The endpoint is ready; it loads the model before it listens."""

    status: str
    model: str
    version: str


class Metrics:
    """The Prometheus metrics of one app, separate from other apps in the same process."""

    def __init__(self, scorer: Scorer) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlops_requests", "Requests answered", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mlops_request_seconds",
            "Time from the first byte of a request to the last of its answer",
            ["path"],
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self.rows = Counter("mlops_rows_scored", "Rows scored", registry=self.registry)
        self.rejects = Counter(
            "mlops_rejects", "Faults in refused requests", ["field"], registry=self.registry
        )
        info = Gauge("mlops_model", "The model", ["model", "version"], registry=self.registry)
        info.labels(scorer.name, scorer.version).set(1)


class MetricsMiddleware:
    """Middleware that counts and times requests, and handles unexpected exceptions."""

    def __init__(self, app: ASGIApp, scorer: Scorer, metrics: Metrics) -> None:
        self.app, self.scorer, self.metrics = app, scorer, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in PATHS else "other"
        status = 0

        async def send_and_record(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        try:
            await self.app(scope, receive, send_and_record)
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
        except Exception as error:
            cause = error.__cause__ or error
            frames = "".join(traceback.format_tb(cause.__traceback__))
            log.error("%s failed with %s\n%s", path, type(cause).__name__, frames)
            if not status:  # else the response has started and can only be cut off
                content = self.scorer.problem("an unexpected error, see the server's log")
                response = JSONResponse(content, 500)
                await response(scope, receive, send_and_record)
        finally:
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(time.perf_counter() - start)


def create(scorer: Scorer) -> FastAPI:
    """Create the app of one model.

    Scoring runs in worker threads, so that /health answers while it does.
    """
    metrics = Metrics(scorer)
    app = FastAPI(
        title=scorer.name,
        version=scorer.version,
        description=f"Predictions of {scorer.name}. At most {MAX_ROWS} rows and {MAX_BYTES} bytes "
        "a request.",
        # These pages load their scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(MetricsMiddleware, scorer=scorer, metrics=metrics)

    def answer(body: bytes) -> Response:
        try:
            content = scorer.answer(body)
        except RequestError as error:
            for fault in error.faults:
                known = fault.field in scorer.contract.columns
                metrics.rejects.labels(fault.field if known else "other").inc()
            content = scorer.problem("the request violates the contract", error.faults)
            return JSONResponse(content, 422)
        metrics.rows.inc(len(content["predictions"]))
        return _json(content)

    @app.post(
        "/score",
        summary="Predict for one or many rows",
        response_model=ClassAnswer if scorer.labels else ValueAnswer,
        responses={code: {"model": Problem} for code in (413, 422, 500)},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": scorer.requests.schema()}},
            }
        },
    )
    async def score(request: Request) -> Response:
        body = bytearray()
        async for block in request.stream():
            body += block
            if len(body) > MAX_BYTES:
                message = f"the body is longer than {MAX_BYTES} bytes; send fewer rows"
                response = JSONResponse(scorer.problem(message), 413)
                response.headers["connection"] = "close"  # the rest of the body is not read
                return response
        return await run_in_threadpool(answer, bytes(body))

    @app.get("/health", summary="Readiness", response_model=Health)
    async def health() -> Response:
        return _json({"status": "ready", "model": scorer.name, "version": scorer.version})

    @app.get("/metrics", summary="Metrics in Prometheus format", response_class=Response)
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return app


def _json(content: Any) -> Response:
    return Response(json.dumps(content, allow_nan=False), media_type="application/json")
