"""Azure ML's own inference server, from an environment of its own, answers as `mlops serve` does.

Its package has a licence and pins of its own and is never in a project's lock. It runs over the
packages that the image of pipelines/environments/inference.yml holds, its own ones first.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.conftest import Project

SERVER = "azureml-inference-server-http==1.5.1"
CREDIT_ROW = {
    "loan_id": "L-1",
    "income": 2471.5,
    "debt_ratio": 0.31,
    "years_employed": 3.0,
    "late_payments": 1,
    "housing": "own",
    "purpose": "car",
}
ENERGY_ROW = {
    "reading_id": "R-1",
    "area": 80.5,
    "people": 2,
    "temperature": 7.25,
    "insulation": "fair",
    "heating": "gas",
}
PROJECTS = [
    pytest.param({"project_name": "Credit Risk"}, CREDIT_ROW, id="classification"),
    pytest.param(
        {"project_name": "Energy Demand", "task": "regression"}, ENERGY_ROW, id="regression"
    ),
]


def bodies(row: dict[str, Any]) -> dict[str, tuple[bytes, int]]:
    """Requests by name, each with the status that is expected."""
    without_id = dict(list(row.items())[1:])
    last, first = list(row)[-1], list(row)[1]
    fewer = {name: value for name, value in row.items() if name != last}
    asked: dict[str, tuple[Any, int]] = {
        "one row": ({"rows": [row]}, 200),
        "many rows": ({"rows": [row, without_id, {**row, first: None}]}, 200),
        "a category that is unknown": ({"rows": [{**row, last: "teapot"}]}, 422),
        "text for a number": ({"rows": [{**row, first: "12"}]}, 422),
        "out of range": ({"rows": [row, {**row, first: -1e9}]}, 422),
        "a field is missing": ({"rows": [fewer]}, 422),
        "a field is unknown": ({"rows": [{**row, "zodiac": "lion"}]}, 422),
        "no rows": ({"rows": []}, 422),
        "too many rows": ({"rows": [row] * 1001}, 422),
        "no object": ([row], 422),
    }
    made = {name: (json.dumps(body).encode(), status) for name, (body, status) in asked.items()}
    first_pair = f'"{first}": {json.dumps(row[first])}'
    twice = json.dumps({"rows": [row]}).replace(first_pair, f"{first_pair}, {first_pair}")
    made["a field twice"] = (twice.encode(), 422)
    made["a mark of UTF-8"] = (b"\xef\xbb\xbf" + json.dumps({"rows": [row]}).encode(), 200)
    made["not JSON"] = (b'{"rows": [', 422)
    made["not UTF-8"] = (b'{"rows": "\xff"}', 422)
    made["too long"] = (b" " * 1_000_001, 413)
    return made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(project: Project, command: list[str], **variables: str) -> Iterator[Path]:
    """A server and all its processes, with the file that its log goes to."""
    log = project.path / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command,
            cwd=project.path,
            env={**os.environ, **variables},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def wait_for(url: str, log: Path) -> None:
    for _ in range(240):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail(f"{url} did not answer in two minutes:\n{log.read_text()[-3000:]}")


def answers(url: str, row: dict[str, Any]) -> dict[str, tuple[int, Any]]:
    made = {}
    for name, (body, _) in bodies(row).items():
        answer = httpx.post(url, content=body, timeout=30)
        # Where broken UTF-8 begins, the parsers of the two pydantics count differently.
        text = re.sub(r" at line 1 column \d+", "", answer.text)
        made[name] = (answer.status_code, json.loads(text))
    return made


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the packages of the image are, for both projects: compiling them takes ten seconds."""
    return tmp_path_factory.mktemp("image") / "environment"


@pytest.mark.parametrize(("given", "row"), PROJECTS)
def test_both_servers_give_the_same_answers(
    given: dict[str, str],
    row: dict[str, Any],
    trained_project: Callable[..., Project],
    image: Path,
    tmp_path: Path,
) -> None:
    project = trained_project(given)
    name = project.yaml("conf/project.yml")["name"]
    package = name.replace("-", "_")
    port = free_port()
    here = ["uv", "run", "mlops", "serve", "--version", "1", "--port", str(port)]
    with running(project, here) as log:
        wait_for(f"http://127.0.0.1:{port}/health", log)
        ours = answers(f"http://127.0.0.1:{port}/score", row)
    assert {key: status for key, (status, _) in ours.items()} == {
        key: status for key, (_, status) in bodies(row).items()
    }

    # As Azure ML lays it out: the model below its name and version, the code somewhere else. Here
    # the package has another name, too, so that the one that is installed cannot be meant.
    deployed = tmp_path / "azureml-models" / name / "1"
    shutil.copytree(project.path / project.last() / "train/model", deployed / "model")
    code = tmp_path / "code"
    shutil.copytree(project.path / "src" / package, code / "carried")
    script = code / "score.py"
    text = project.read("src/score.py")
    assert f'"{package}"' in text
    script.write_text(text.replace(f'"{package}"', '"carried"'))
    port = free_port()
    there = ["uv", "run", "--no-default-groups", "--group", "azure-jobs"]
    there += ["--with", SERVER, "azmlinfsrv", "--entry_script", str(script)]
    collector = {"AZUREML_MDC_ENABLED": "true", "AZUREML_MDC_LOCAL_CAPTURE": "true"}
    place = {"UV_PROJECT_ENVIRONMENT": str(image), "AZUREML_MODEL_DIR": str(deployed)}
    with running(project, [*there, "--port", str(port)], **place, **collector) as log:
        wait_for(f"http://127.0.0.1:{port}/", log)
        theirs = answers(f"http://127.0.0.1:{port}/score", row)
        assert httpx.get(f"http://127.0.0.1:{port}/score").status_code == 405
        written = log.read_text()
    assert theirs == ours
    assert ours["many rows"][1]["predictions"][0] == ours["one row"][1]["predictions"][0]

    # The monitor's data: features as they were sent, predictions under the row's own id.
    collected = re.findall(r"(model_\w+) \| [^|]* \| (\[.*\])$", written, re.MULTILINE)
    first = {kind: json.loads(rows) for kind, rows in reversed(collected)}
    identity = next(iter(row))
    assert first["model_inputs"] == [{key: row[key] for key in row if key != identity}]
    made = ours["one row"][1]["predictions"][0]
    expected = made["label"] if "label" in made else pytest.approx(made["value"], abs=1e-9)
    assert first["model_outputs"] == [{identity: row[identity], "prediction": expected}]
    assert len(collected) == 6  # refused requests are not collected
    assert "Traceback" not in written


def test_the_inference_servers_package_is_in_no_lock(kept_project: Callable[..., Project]) -> None:
    lock = kept_project({"project_name": "Credit Risk"}).read("uv.lock")
    assert 'name = "azureml-mlflow"' in lock
    assert "azureml-inference-server-http" not in lock
