"""The online endpoint in Azure ML: responses as of `mlops serve`, in Azure ML's inference server.

If the deployment turns it on, Azure ML's data collector gets inputs and outputs, which the monitor
in azureml/schedules/ reads. They are never logged.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_platform.serving import store
from mlops_platform.serving.headers import unsupported
from mlops_platform.serving.requests import MAX_BYTES, RequestError
from mlops_platform.serving.scorer import Scorer
from mlops_platform.truth.collected import COLLECTION, PROBABILITY, VALUE, VERSION

log = logging.getLogger(__name__)


class Endpoint:
    """A model and the collectors of its requests and predictions."""

    def __init__(self, scorer: Scorer) -> None:
        from azureml.ai.monitoring import Collector  # noqa: PLC0415  in Azure ML's images only

        self.scorer = scorer
        self._inputs = Collector(name="model_inputs", on_error=_not_collected)
        self._outputs = Collector(name="model_outputs", on_error=_not_collected)
        self._predictions = Collector(name=COLLECTION, on_error=_not_collected)

    def answer(
        self, method: str, body: bytes, types: Sequence[str] = (), codings: Sequence[str] = ()
    ) -> tuple[dict[str, Any], int]:
        """The content of the response and its HTTP status, the same as of `mlops serve`.

        Args:
            method: of the request.
            body: of the request.
            types: values of the header Content-Type.
            codings: values of the header Content-Encoding.
        """
        scorer = self.scorer
        if method != "POST":
            return scorer.problem("send it with POST"), 405
        if why := unsupported(types, codings):
            return scorer.problem(why[0]), 415
        if len(body) > MAX_BYTES:
            return scorer.problem(
                f"the body is longer than {MAX_BYTES} bytes; send fewer rows"
            ), 413
        try:
            rows = scorer.requests.read(body)
            content = scorer.content(rows)
        except RequestError as error:
            return scorer.problem("the request violates the contract", error.faults), 422
        except Exception as error:
            # Its text may quote a value of the request.
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("/score failed with %s\n%s", type(error).__name__, frames)
            return scorer.problem("an unexpected error, see the server's log"), 500
        self._collect(rows, content["predictions"])
        return content, 200

    def _collect(self, rows: list[dict[str, Any]], predictions: list[dict[str, Any]]) -> None:
        """Collect features and predictions with the row's id, to join the ground truth later."""
        contract = self.scorer.contract
        inputs = self.scorer.collected(rows)
        kind = "label" if contract.labels else "value"
        outputs = pd.DataFrame({"prediction": [prediction[kind] for prediction in predictions]})
        for name in contract.named("id"):
            outputs.insert(0, name, [row[name] for row in rows])
        context = self._inputs.collect(inputs)
        self._outputs.collect(outputs, context)
        self._predictions.collect(self._for_ledger(outputs, predictions), context)

    def _for_ledger(self, outputs: pd.DataFrame, predictions: list[dict[str, Any]]) -> pd.DataFrame:
        """Id, version and scores, as `truth.collected` reads them; no feature."""
        found = outputs.drop(columns="prediction")
        found[VERSION] = self.scorer.version
        for label in self.scorer.labels:
            found[f"{PROBABILITY}{label}"] = [row["probabilities"][label] for row in predictions]
        if not self.scorer.labels:
            found[VALUE] = [row["value"] for row in predictions]
        return found


class State:
    """The endpoint of this process, after `init`."""

    endpoint: Endpoint


def init(package: str) -> None:
    """Load the model from Azure ML's folder; `package` is the team's package."""
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    State.endpoint = Endpoint(Scorer(*store.find_deployed(folder, package)))


def run(request: Any) -> Any:
    """Answer a Flask request with a Flask response."""
    from azureml_inference_server_http.api.aml_response import AMLResponse  # noqa: PLC0415

    types, codings = map(request.headers.getlist, ("Content-Type", "Content-Encoding"))
    content, status = State.endpoint.answer(request.method, request.get_data(), types, codings)
    return AMLResponse(content, status, json_str=True)


def _not_collected(error: Exception) -> None:
    """Log that a prediction was returned, but not collected."""
    log.error("a request was answered, but not collected: %s", type(error).__name__)
