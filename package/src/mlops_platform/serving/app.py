"""The HTTP endpoint: its paths. Everything that is no prediction is answered as a `Problem`."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException

from mlops_platform.serving import page
from mlops_platform.serving.answers import ClassAnswer, Problem, Status, ValueAnswer
from mlops_platform.serving.batches import Batches
from mlops_platform.serving.headers import MEDIA_TYPE, unsupported
from mlops_platform.serving.metrics import Metrics, Verdicts
from mlops_platform.serving.middleware import Middleware
from mlops_platform.serving.requests import MAX_BYTES, MAX_ROWS, RequestError
from mlops_platform.serving.scorer import Scorer

if TYPE_CHECKING:
    from mlops_platform.truth.recorder import Recorder

BODY_SECONDS = 30  # for a body to arrive
CLOSE = {"Connection": "close"}  # what remains of the body is not read
PROBLEM: dict[str, Any] = {"model": Problem}


def create(
    scorer: Scorer,
    key: str | None = None,
    stopping: threading.Event | None = None,
    recorder: Recorder | None = None,
    verdicts: Verdicts | None = None,
) -> FastAPI:
    """Create the app of one model.

    Scoring runs in a thread of its own, so that /live answers while it does.

    Args:
        scorer: the model.
        key: what requests must send, except for /live and /ready; None if they need nothing.
        stopping: set when the endpoint begins to stop: /ready says so, and connections are closed.
        recorder: keeps the predictions.
        verdicts: what the last monitor and late labels say of a version, by name.
    """
    metrics = Metrics(scorer, verdicts)
    if recorder is not None:
        recorder.count = metrics.count_predictions
    stops = stopping or threading.Event()
    app = FastAPI(
        title=scorer.name,
        version=scorer.version,
        description=f"Predictions of {scorer.name}. At most {MAX_ROWS} rows and {MAX_BYTES} bytes "
        "a request.",
        docs_url=None,  # FastAPI's pages load their scripts from another host
        redoc_url=None,
        redirect_slashes=False,  # to an address that the client's header Host names
        responses={401: PROBLEM} if key else None,
    )
    app.add_middleware(Middleware, scorer=scorer, metrics=metrics, key=key, stopping=stops)

    @app.exception_handler(HTTPException)
    async def not_found(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 404:
            return _refuse(scorer, 404, "there is no such path; /docs lists them")
        allowed = headers.get("Allow", "another method")
        return _refuse(scorer, error.status_code, f"send it with {allowed}", headers)

    _add_score(app, scorer, metrics, recorder)
    _add_probes(app, scorer, stops)

    @app.get("/metrics", summary="Metrics in Prometheus format", response_class=Response)
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.get("/docs", summary="How to ask, for people", response_class=HTMLResponse)
    async def docs() -> Response:
        return HTMLResponse(page.render(app.openapi(), key is not None), headers=page.HEADERS)

    return app


def _add_score(app: FastAPI, scorer: Scorer, metrics: Metrics, recorder: Recorder | None) -> None:
    """The path that predicts."""
    batches = Batches(scorer.answers)

    async def answer(body: bytes) -> Response:
        try:
            content = await batches.ask(body)
        except RequestError as error:
            for fault in error.faults:
                known = fault.field in scorer.contract.columns
                metrics.rejects.labels(fault.field if known else "other").inc()
            content = scorer.problem("the request violates the contract", error.faults)
            return JSONResponse(content, 422)
        metrics.rows.inc(len(content["predictions"]))
        if recorder is not None:
            recorder.add(content["predictions"])
        return _json(content)

    @app.post(
        "/score",
        summary="Predict for one or many rows",
        response_model=ClassAnswer if scorer.labels else ValueAnswer,
        responses=dict.fromkeys((408, 413, 415, 422, 500), PROBLEM),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {MEDIA_TYPE: {"schema": scorer.requests.schema()}},
            }
        },
    )
    async def score(request: Request) -> Response:
        headers = request.headers
        why = unsupported(headers.getlist("content-type"), headers.getlist("content-encoding"))
        if why:
            return _refuse(scorer, 415, why[0], why[1] | CLOSE)
        too_long = f"the body is longer than {MAX_BYTES} bytes; send fewer rows"
        if int(headers.get("content-length", 0)) > MAX_BYTES:
            return _refuse(scorer, 413, too_long, CLOSE)
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for block in request.stream():
                    body += block
                    if len(body) > MAX_BYTES:
                        return _refuse(scorer, 413, too_long, CLOSE)
        except TimeoutError:
            error = f"the body did not arrive within {BODY_SECONDS} seconds"
            return _refuse(scorer, 408, error, CLOSE)
        return await answer(bytes(body))


def _add_probes(app: FastAPI, scorer: Scorer, stopping: threading.Event) -> None:
    """The paths that tell the state."""

    def status(text: str) -> Response:
        return _json({"status": text, "model": scorer.name, "version": scorer.version})

    @app.get("/live", summary="The process runs", response_model=Status)
    async def live() -> Response:
        return status("live")

    @app.get("/health", summary="The same as /ready", response_model=Status, deprecated=True)
    @app.get(
        "/ready",
        summary="It takes requests: the model is loaded, and it is not stopping",
        response_model=Status,
        responses={503: PROBLEM},
    )
    async def ready() -> Response:
        if stopping.is_set():
            return _refuse(scorer, 503, "the endpoint is stopping")
        return status("ready")


def _refuse(
    scorer: Scorer, status: int, error: str, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse(scorer.problem(error), status, headers=headers)


def _json(content: Any) -> Response:
    return Response(json.dumps(content, allow_nan=False), media_type=MEDIA_TYPE)
