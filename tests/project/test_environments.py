"""The images in Azure get the packages of uv.lock, with hashes, and nothing else."""

import hashlib
import re
from collections.abc import Callable

from tests.conftest import Project

CREDIT = {"project_name": "Credit Risk"}
NAMES = ("inference", "parallel", "training")


def test_requirements_are_the_locks(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(CREDIT)
    done = project.run("uv", "run", "mlops", "azure", "environments")
    lock = (project.path / "uv.lock").read_bytes()
    assert f"version {hashlib.sha256(lock).hexdigest()[:12]}" in done.stdout
    [wheel] = (project.path / "vendor").iterdir()
    for name in NAMES:
        [copied] = (project.path / f"pipelines/environments/{name}/vendor").iterdir()
        assert (copied.name, copied.read_bytes()) == (wheel.name, wheel.read_bytes())
    texts = {project.read(f"pipelines/environments/{name}/requirements.txt") for name in NAMES}
    assert len(texts) == 1
    text = texts.pop()
    named = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)
    assert {"scikit-learn", "azureml-mlflow", "azureml-ai-monitoring"} < set(named)
    assert not {"credit-risk", "pytest", "azure-ai-ml", "azureml-core"} & set(named)
    assert text.count("--hash=sha256:") >= len(named)
    hashed = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert f"./vendor/{wheel.name} \\\n    --hash=sha256:{hashed}\n" in text
    assert "://" not in text  # no address of an index
    ignored = project.run("git", "status", "--porcelain", "--untracked-files=all").stdout
    assert "requirements.txt" not in ignored
    assert "environments" not in ignored
    for name in NAMES:
        folder = f"pipelines/environments/{name}"
        assert "COPY . /opt/image\nWORKDIR /opt/image\n" in project.read(f"{folder}/Dockerfile")
        build = project.yaml(f"{folder}.yml")["build"]
        assert build == {"path": name, "dockerfile_path": "Dockerfile"}


def test_a_lock_that_does_not_fit_is_not_exported(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(CREDIT)
    text = project.read("pyproject.toml")
    project.write("pyproject.toml", text.replace("team = []", 'team = ["tabulate"]'))
    done = project.run("uv", "run", "--frozen", "mlops", "azure", "environments", expect=2)
    assert "uv.lock cannot be exported" in done.stderr
    assert "Run `uv lock`" in done.stderr
    (project.path / "uv.lock").unlink()
    done = project.run("uv", "run", "--no-sync", "mlops", "azure", "environments", expect=2)
    assert "uv.lock: there is no such file" in done.stderr
    assert not list(project.path.glob("pipelines/environments/*/requirements.txt"))
