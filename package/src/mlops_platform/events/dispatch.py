"""What a function in Azure does with an event: decide, then send it to CI, or say whom it concerns.

It trains and tests nothing itself, so it needs no right to Azure ML. CI asks for what is so by
then, so an event that comes twice does no harm. It needs the standard library alone: its package
has neither MLflow nor pandas. A line of its log that begins with `TELL role:` is mailed to the
role by an alert of infra/events.tf.
"""

from __future__ import annotations

import base64
import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.events.decide import Action, Decision, decide
from mlops_platform.events.parse import read

TIMEOUT = 30  # seconds
TYPES: dict[Action, str] = {"retrain": "drift", "test": "registered"}  # of repository_dispatch
INPUTS: dict[Action, str] = {"retrain": "event", "test": "version"}  # of a pipeline
AZURE_DEVOPS = "499b84ac-1321-427f-aa17-267ca6975798"  # its id in every tenant
LOG = logging.getLogger("mlops.events")


def handle(message: bytes, settings: Mapping[str, str]) -> list[Decision]:
    """Decide on the events in a message of the queue, and pass them on.

    Args:
        message: what Event Grid put into the queue, as it is or in Base64.
        settings: PROJECT; DISPATCH, the address of the repository's or project's API; and for it
            DISPATCH_TOKEN (GitHub), or PIPELINE_RETRAIN and PIPELINE_TEST (Azure DevOps).

    Raises:
        UsageError: it is no event, a setting is missing, or CI does not take it. The queue gives
            it again, and puts it aside after five times.
    """
    text = message.strip()
    if not text.startswith((b"{", b"[")):
        try:
            text = base64.b64decode(text, validate=True)
        except ValueError:
            raise UsageError("the message of the queue is neither JSON nor Base64 of it.") from None
    decided = []
    for event in read(text, "the message of the queue"):
        decision = decide(event, _setting(settings, "PROJECT"))
        LOG.info("%s %s: %s, %s", event.kind, event.id, decision.action, decision.why)
        if decision.action in TYPES:
            _dispatch(decision, settings)
        for role in decision.tell:
            more = "; CI tests it offline" if decision.action == "test" else ""
            LOG.warning("TELL %s: %s%s", role, decision.why, more)
        decided.append(decision)
    return decided


def _dispatch(decision: Decision, settings: Mapping[str, str]) -> None:
    value = decision.version if decision.action == "test" else decision.why
    address = _setting(settings, "DISPATCH").rstrip("/")
    if pipeline := settings.get(f"PIPELINE_{decision.action.upper()}"):
        body: dict[str, Any] = {"templateParameters": {INPUTS[decision.action]: value}}
        address = f"{address}/_apis/pipelines/{pipeline}/runs?api-version=7.1"
        _send(address, _identity_token(settings), body)
        return
    key = "version" if decision.action == "test" else "why"
    body = {"event_type": TYPES[decision.action], "client_payload": {key: value}}
    _send(f"{address}/dispatches", _setting(settings, "DISPATCH_TOKEN"), body)


def _identity_token(settings: Mapping[str, str]) -> str:
    """A token for Azure DevOps, of the function's own identity."""
    query = {"resource": AZURE_DEVOPS, "api-version": "2019-08-01"}
    address = f"{_setting(settings, 'IDENTITY_ENDPOINT')}?{urllib.parse.urlencode(query)}"
    header = {"X-IDENTITY-HEADER": _setting(settings, "IDENTITY_HEADER")}
    return str(json.loads(_ask(urllib.request.Request(address, headers=header)))["access_token"])  # noqa: S310


def _send(address: str, token: str, body: dict[str, Any]) -> None:
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": "mlops-platform",
    }
    content = json.dumps(body).encode()
    _ask(urllib.request.Request(address, content, headers, method="POST"))  # noqa: S310  a setting


def _ask(request: urllib.request.Request) -> bytes:
    address = request.full_url.partition("?")[0]
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        raise UsageError(
            f"{address} returned {error.code}. Check that the function's token or identity may "
            "start it (docs/azure.md)."
        ) from None
    except OSError as error:
        raise UsageError(f"{address} cannot be reached: {error}.") from None


def _setting(settings: Mapping[str, str], name: str) -> str:
    value = settings.get(name, "")
    if not value or value.startswith("@Microsoft.KeyVault("):
        problem = "is not set" if not value else "is still a reference: the vault gave no secret"
        raise UsageError(f"the function's setting {name} {problem} (docs/azure.md).")
    return value
