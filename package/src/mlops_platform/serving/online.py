"""The online endpoint in Azure ML: the answers of `mlops serve`, under Azure ML's inference server.

What was asked and answered goes to Azure ML's data collector, where the deployment says so: the
monitor in azureml/schedules/ reads it. Nothing of it goes to a log.
"""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_platform.models.team import Team
from mlops_platform.serving import store
from mlops_platform.serving.requests import MAX_BYTES, Refused
from mlops_platform.serving.scorer import Scorer

log = logging.getLogger(__name__)


class Endpoint:
    """A model and the collectors of its requests and predictions."""

    def __init__(self, scorer: Scorer) -> None:
        from azureml.ai.monitoring import Collector  # noqa: PLC0415  in Azure ML's images only

        self.scorer = scorer
        self._inputs = Collector(name="model_inputs", on_error=_not_collected)
        self._outputs = Collector(name="model_outputs", on_error=_not_collected)

    def answer(self, method: str, body: bytes) -> tuple[dict[str, Any], int]:
        """The content of the answer and its HTTP status, as the endpoint of `mlops serve` gives."""
        scorer = self.scorer
        if method != "POST":
            return scorer.problem("send the rows with POST"), 405
        if len(body) > MAX_BYTES:
            return scorer.problem(
                f"the body is longer than {MAX_BYTES} bytes; send fewer rows"
            ), 413
        try:
            rows = scorer.requests.read(body)
            content = scorer.content(rows)
        except Refused as refused:
            return scorer.problem("the request breaks the contract", refused.faults), 422
        except Exception as error:
            # Its text may quote a value of the request.
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("/score failed with %s\n%s", type(error).__name__, frames)
            return scorer.problem("an unexpected error, see the server's log"), 500
        self._collect(rows, content["predictions"])
        return content, 200

    def _collect(self, rows: list[dict[str, Any]], predictions: list[dict[str, Any]]) -> None:
        """Features, and predictions under the row's own id: the truth will come under the same."""
        contract = self.scorer.contract
        inputs = pd.DataFrame(rows)[contract.features]
        kind = "label" if contract.labels else "value"
        outputs = pd.DataFrame({"prediction": [made[kind] for made in predictions]})
        for name in contract.named("id"):
            outputs.insert(0, name, [row[name] for row in rows])
        self._outputs.collect(outputs, self._inputs.collect(inputs))


class Served:
    """The endpoint of this process, once `init` has made it."""

    endpoint: Endpoint


def init(package: str) -> None:
    """Load the model from where Azure ML has put it; `package` is the team's."""
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    Served.endpoint = Endpoint(Scorer(*store.deployed(folder, Team(package))))


def run(request: Any) -> Any:
    """Answer a request of Flask's with a response of Flask's."""
    from azureml_inference_server_http.api.aml_response import AMLResponse  # noqa: PLC0415

    content, status = Served.endpoint.answer(request.method, request.get_data())
    return AMLResponse(content, status, json_str=True)


def _not_collected(error: Exception) -> None:
    """A prediction that cannot be collected is still given, and the log says so."""
    log.error("a request was answered, but not collected: %s", type(error).__name__)
