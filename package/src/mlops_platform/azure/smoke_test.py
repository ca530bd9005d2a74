"""The gate between the steps of a rollout: is the deployment well, and does it answer as promised?

It proves that the deployment is built, loads the model, and answers the contract's example in the
shape of `serving.Scorer`. It does not prove that the predictions are good: that is what `evaluate`
and `compare` did. What else must hold, a command says that you give: exit code 0 passes.
"""

from __future__ import annotations

import json
import math
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from mlops_platform.azure.az import Failed, Unknown
from mlops_platform.azure.endpoints import Endpoint
from mlops_platform.azure.place import Place
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.serving.requests import Requests

REQUESTS = 3


def gate(place: Place, endpoint: Endpoint, colour: str, version: str, check: str | None) -> None:
    """Look at one deployment.

    Raises:
        GateError: it is not well, or its answer is not what was promised.
        UsageError: it cannot be looked at.
    """
    standing = endpoint.deployments().get(colour)
    if standing is None or standing.version != version:
        raise GateError(f"{endpoint.name}: {colour} no longer has version {version}.")
    if not standing.healthy:
        raise GateError(f"{endpoint.name}: deployment {colour} is {standing.state}.")
    if endpoint.splits:
        contract = load_contract(place.conf / "data.yml", place.project.task)
        example = json.dumps({"rows": [Requests(contract).example()]})
        for _ in range(REQUESTS):
            answer = ask(place, endpoint, colour, example)
            fault = answer_fault(answer, place, contract, version)
            if fault:
                raise GateError(f"{endpoint.name}: {colour} answered wrongly: {fault}.")
    if check:
        _check(check)
    terminal.say(f"gate passed: {endpoint.kind} {colour}, version {version}")


def answer_fault(answer: Any, place: Place, contract: Contract, version: str) -> str | None:
    """What is wrong with an answer to one row, or None."""
    if not isinstance(answer, dict) or answer.keys() != {"model", "version", "predictions"}:
        return f"expected model, version and predictions, got {str(answer)[:200]!r}"
    if answer["model"] != place.name or str(answer["version"]) != version:
        return f"it is {answer['model']} version {answer['version']}, not {place.name} {version}"
    predictions = answer["predictions"]
    if not isinstance(predictions, list) or len(predictions) != 1:
        return "one row was sent, and not one prediction came back"
    if not isinstance(predictions[0], dict):
        return "the prediction is no object"
    return _prediction_fault(predictions[0], contract.labels)


def _prediction_fault(prediction: dict[str, Any], labels: list[str]) -> str | None:
    if not labels:
        return None if _number(prediction.get("value")) else "`value` is no finite number"
    shares = prediction.get("probabilities")
    if not isinstance(shares, dict) or set(shares) != set(labels):
        return f"`probabilities` are not those of {', '.join(labels)}"
    if not all(_number(share) and 0 <= share <= 1 for share in shares.values()):
        return "`probabilities` are not between 0 and 1"
    if abs(sum(shares.values()) - 1) > 1e-6:
        return "`probabilities` do not sum to 1"
    return None if prediction.get("label") in labels else "`label` is none of the labels"


def ask(place: Place, endpoint: Endpoint, colour: str, body: str) -> Any:
    """The content of the answer to a request's JSON.

    Raises:
        GateError: there is no answer.
        UsageError: it cannot be asked.
    """
    with tempfile.TemporaryDirectory() as scratch:
        request = Path(scratch) / "request.json"
        request.write_text(body, encoding="utf-8")
        where = ("--name", endpoint.name, "--deployment-name", colour, *place.az.workspace)
        try:
            said = place.az.read(
                "online-endpoint", "invoke", *where, "--request-file", str(request)
            )
        except (Failed, Unknown) as error:
            raise GateError(f"{endpoint.name}: {colour} did not answer: {error}") from None
    try:
        return json.loads(said) if isinstance(said, str) else said
    except ValueError:
        return said


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check(command: str) -> None:
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, check=False, timeout=600
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--check {command!r} cannot be run: {error}.") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-500:]
        why = f": {said}" if said else "."
        raise GateError(f"--check {command!r} said no (exit code {done.returncode}){why}")
