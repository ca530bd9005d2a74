"""The function of infra/: what is registered, and what it does with messages of a real queue.

The queue is Azurite's, Microsoft's emulator, from npm. This test takes the host's place: it takes a
message from the queue, calls the function, and deletes the message if that raised nothing.
"""

import base64
import importlib.util
import json
import logging
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.storage.queue import QueueClient
from filelock import FileLock
from mlops_platform.azure.function import HOST
from mlops_platform.core.errors import UsageError
from mlops_platform.events import dispatch

from package.tests.event_samples import FOUND, NAME, REGISTERED, breach, make
from tests.conftest import SHARED
from tests.infra.conftest import EXAMPLE

AZURITE = "azurite@3.37.0"
ACCOUNT = "devstoreaccount1"  # Azurite's own, with its well-known key
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(scope="module")
def program() -> Path:
    """Azurite's queue, installed once for all processes of a session."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not there: `apt-get install npm`")
    folder = Path(os.environ[SHARED]) / "azurite"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            options = ["--no-audit", "--no-fund", "--silent", "--prefer-offline"]
            command = ["npm", "install", *options, "--ignore-scripts", "--prefix", str(folder)]
            subprocess.run([*command, AZURITE], check=True)
    return folder / "node_modules" / ".bin" / "azurite-queue"


@pytest.fixture(scope="module")
def service(program: Path) -> Iterator[str]:
    """A running service; its address on this machine."""
    options = ["--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"]
    command = [str(program), "--queueHost", "127.0.0.1", "--queuePort", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = (re.search(r"listens on (http://127\.0\.0\.1:\d+)", line) for line in process.stdout)
    found = next(line for line in lines if line)
    yield found[1]
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def queue(service: str) -> Iterator[QueueClient]:
    client = QueueClient.from_connection_string(
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"QueueEndpoint={service}/{ACCOUNT};",
        "events",
    )
    client.create_queue()
    yield client
    client.delete_queue()


class Ci:
    """GitHub or Azure DevOps, and the identity of a function: what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.code = 200
        ci = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ci.asked.append((self.path, dict(self.headers), None))
                self.reply(200)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ci.asked.append((self.path, dict(self.headers), json.loads(body)))
                self.reply(ci.code)

            def reply(self, code: int) -> None:
                content = b'{"access_token": "of-the-identity"}'
                self.send_response(code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def ci(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ci]:
    """GitHub, and a function that has been told of it."""
    made = Ci()
    monkeypatch.setenv("PROJECT", NAME)
    monkeypatch.setenv("DISPATCH", f"{made.address}/repos/contoso/credit-risk")
    monkeypatch.setenv("DISPATCH_TOKEN", "of-the-vault")
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def function() -> Any:
    """The one function of function_app.py, as Azure finds it."""
    file = EXAMPLE / "infra" / "function" / "function_app.py"
    spec = importlib.util.spec_from_file_location("function_app", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (found,) = module.app.get_functions()
    return found


def serve(queue: QueueClient, function: Any) -> None:
    """Give each message to the function once, as the host would."""
    for message in queue.receive_messages(visibility_timeout=30):
        body = message.content.encode()
        function.get_user_function()(func.QueueMessage(id=message.id, body=body))
        queue.delete_message(message)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if each.message.startswith("TELL")]


def test_what_is_registered_is_what_terraform_makes(function: Any) -> None:
    (binding,) = function.get_bindings_dict()["bindings"]
    text = (EXAMPLE / "infra" / "events.tf").read_text()
    assert binding["type"] == "queueTrigger"
    made = re.search(r'"azurerm_storage_queue" "events" {\n  name += "(\w+)"', text)
    assert made
    assert made[1] == binding["queueName"]
    for setting in ("queueServiceUri", "credential"):
        assert f"{binding['connection']}__{setting} " in text
    for name in ("PROJECT", "DISPATCH", "DISPATCH_TOKEN", "PIPELINE_RETRAIN", "PIPELINE_TEST"):
        assert re.search(rf"\b{name} +=", text), name
    assert HOST["extensions"]["queues"]["messageEncoding"] == "none"  # or it would refuse JSON


@pytest.mark.parametrize("encoded", [False, True])
def test_a_breach_reaches_ci(queue: QueueClient, ci: Ci, function: Any, *, encoded: bool) -> None:
    text = json.dumps(breach())
    queue.send_message(base64.b64encode(text.encode()).decode() if encoded else text)
    serve(queue, function)
    ((path, headers, body),) = ci.asked
    assert path == "/repos/contoso/credit-risk/dispatches"
    assert headers["Authorization"] == "Bearer of-the-vault"
    why = f"a monitor found: {FOUND}"
    assert body == {"event_type": "drift", "client_payload": {"why": why}}
    assert queue.get_queue_properties().approximate_message_count == 0


def test_a_new_version_is_sent_to_its_test_and_the_validator_told(
    queue: QueueClient, ci: Ci, function: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue.send_message(json.dumps(REGISTERED))
    serve(queue, function)
    ((_, _, body),) = ci.asked
    assert body == {"event_type": "registered", "client_payload": {"version": "1"}}
    expected = "TELL model_validator: version 1 was registered; CI tests it offline"
    assert told(caplog) == [expected]


def test_who_is_told_and_what_leads_to_nothing(
    queue: QueueClient, ci: Ci, function: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for event in (make("RunStatusChanged"), make("RunCompleted"), make("DatasetDriftDetected")):
        queue.send_message(json.dumps([event]))
    serve(queue, function)
    assert ci.asked == []
    assert told(caplog) == ["TELL ml_engineer: run a failed"]


def test_what_ci_does_not_take_stays_in_the_queue(
    queue: QueueClient, ci: Ci, function: Any
) -> None:
    ci.code = 500
    queue.send_message(json.dumps(breach()))
    with pytest.raises(UsageError, match="/dispatches returned 500"):
        serve(queue, function)
    assert queue.get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize("text", ["no event", "{}", "bm8gZXZlbnQ="])
def test_what_is_no_event_stays_in_the_queue(
    queue: QueueClient, ci: Ci, function: Any, text: str
) -> None:
    queue.send_message(text)
    with pytest.raises(UsageError, match="the message of the queue"):
        serve(queue, function)
    assert queue.get_queue_properties().approximate_message_count == 1
    assert ci.asked == []


def test_azure_devops_is_asked_as_the_functions_identity(ci: Ci) -> None:
    settings = {
        "PROJECT": NAME,
        "DISPATCH": f"{ci.address}/contoso/loans",
        "PIPELINE_RETRAIN": "12",
        "PIPELINE_TEST": "13",
        "IDENTITY_ENDPOINT": f"{ci.address}/msi/token",
        "IDENTITY_HEADER": "secret",
    }
    for event in (breach(), REGISTERED):
        dispatch.handle(json.dumps(event).encode(), settings)
    token, retrain, _, test = ci.asked
    assert token[0] == f"/msi/token?resource={dispatch.AZURE_DEVOPS}&api-version=2019-08-01"
    assert {key.lower(): value for key, value in token[1].items()}["x-identity-header"] == "secret"
    assert retrain[0] == "/contoso/loans/_apis/pipelines/12/runs?api-version=7.1"
    assert retrain[1]["Authorization"] == "Bearer of-the-identity"
    assert retrain[2] == {"templateParameters": {"event": f"a monitor found: {FOUND}"}}
    assert test[0] == "/contoso/loans/_apis/pipelines/13/runs?api-version=7.1"
    assert test[2] == {"templateParameters": {"version": "1"}}


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "DISPATCH_TOKEN is not set"),
        ("@Microsoft.KeyVault(SecretUri=x)", "DISPATCH_TOKEN is still a reference"),
    ],
)
def test_a_secret_that_is_missing_is_named(token: str, message: str) -> None:
    settings = {"PROJECT": NAME, "DISPATCH": "http://127.0.0.1:9", "DISPATCH_TOKEN": token}
    with pytest.raises(UsageError, match=message):
        dispatch.handle(json.dumps(breach()).encode(), settings)


@pytest.fixture(autouse=True)
def _all_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mlops.events")
