"""The gate between the steps of a rollout: the deployment is healthy and its responses are valid.

It checks that the deployment is built, loads the model, and responds to the contract's example in
the format of `serving.Scorer`. It does not check whether the predictions are good: `evaluate` and
`compare` do. For further checks, give a command: exit code 0 passes.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from mlops_platform.azure.az import CommandError, UnknownStateError
from mlops_platform.azure.endpoint import Endpoint
from mlops_platform.azure.target import Target
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.serving.requests import Requests

REQUESTS = 3


def check_deployment(
    target: Target, endpoint: Endpoint, colour: str, version: str, check: str | None
) -> None:
    """Check one deployment.

    Raises:
        GateError: it is unhealthy, or its response is invalid.
        UsageError: it cannot be checked.
    """
    deployment = endpoint.deployments().get(colour)
    if deployment is None or deployment.version != version:
        raise GateError(f"{endpoint.name}: {colour} no longer has version {version}.")
    if not deployment.healthy:
        raise GateError(f"{endpoint.name}: deployment {colour} is {deployment.state}.")
    if endpoint.splits_traffic:
        contract = load_contract(target.conf / "data.yml", target.project.task)
        example = json.dumps({"rows": [Requests(contract).example()]})
        for _ in range(REQUESTS):
            response = invoke(target, endpoint, colour, example)
            error = find_response_error(response, target, contract, version)
            if error:
                raise GateError(f"{endpoint.name}: {colour} sent an invalid response: {error}.")
    if check:
        _run_check(check)
    terminal.log(f"gate passed: {endpoint.kind} {colour}, version {version}")


def find_response_error(
    response: Any, target: Target, contract: Contract, version: str
) -> str | None:
    """Describe what is wrong with the response to one row; None if it is valid."""
    if not isinstance(response, dict) or response.keys() != {"model", "version", "predictions"}:
        return f"expected model, version and predictions, got {str(response)[:200]!r}"
    if response["model"] != target.name or str(response["version"]) != version:
        return (
            f"it is {response['model']} version {response['version']}, not {target.name} {version}"
        )
    predictions = response["predictions"]
    if not isinstance(predictions, list) or len(predictions) != 1:
        return "expected one prediction for one row"
    if not isinstance(predictions[0], dict):
        return "the prediction is not an object"
    return _find_prediction_error(predictions[0], contract.labels)


def _find_prediction_error(prediction: dict[str, Any], labels: list[str]) -> str | None:
    if not labels:
        return None if _is_number(prediction.get("value")) else "`value` is not a finite number"
    probabilities = prediction.get("probabilities")
    if not isinstance(probabilities, dict) or set(probabilities) != set(labels):
        return f"`probabilities` are not those of {', '.join(labels)}"
    if not all(
        _is_number(probability) and 0 <= probability <= 1 for probability in probabilities.values()
    ):
        return "`probabilities` are not between 0 and 1"
    if abs(sum(probabilities.values()) - 1) > 1e-6:
        return "`probabilities` do not sum to 1"
    return None if prediction.get("label") in labels else "`label` is not one of the labels"


def invoke(target: Target, endpoint: Endpoint, colour: str, body: str) -> Any:
    """Send a request's JSON to one deployment and return the content of the response.

    Raises:
        GateError: there is no response.
        UsageError: the request cannot be sent.
    """
    with tempfile.TemporaryDirectory() as scratch:
        request = Path(scratch) / "request.json"
        request.write_text(body, encoding="utf-8", newline="\n")
        options = ("--name", endpoint.name, "--deployment-name", colour, *target.az.workspace)
        try:
            response = target.az.read(
                "online-endpoint", "invoke", *options, "--request-file", str(request)
            )
        except (CommandError, UnknownStateError) as error:
            raise GateError(f"{endpoint.name}: {colour} did not respond: {error}") from None
    try:
        return json.loads(response) if isinstance(response, str) else response
    except ValueError:
        return response


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _run_check(command: str) -> None:
    try:
        process = subprocess.run(
            # Windows splits it itself, and shlex would drop the backslashes of its paths.
            command if os.name == "nt" else shlex.split(command),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
            timeout=600,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--check {command!r} cannot be run: {error}.") from None
    if process.returncode != 0:
        output = (process.stdout + process.stderr).strip()[-500:]
        detail = f": {output}" if output else "."
        raise GateError(f"--check {command!r} failed (exit code {process.returncode}){detail}")
