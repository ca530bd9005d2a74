"""A CI service in small: it runs the jobs of a project's workflows, with a stand-in for Azure.

Jobs run in the order of their needs. What a job in Azure ML would do is done by the same pipeline
here, and its versions are put into the stand-in.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from package.tests.azure import scenarios
from package.tests.azure.az_standin import Memory
from package.tests.azure.scenarios import NAME, REGISTRY, Scenario
from tests.conftest import Project
from tests.render.flows import Flow, Step, flows

VALUE = re.compile(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", re.M)
HOLD = "--hold 600"  # seconds at each of five steps: nobody waits for that here


class SavedScenario(Scenario):
    """Azure in a file, for a stand-in that is a process of its own."""

    def __init__(self, root: Path, file: Path) -> None:
        object.__setattr__(self, "root", root)
        object.__setattr__(self, "file", file)

    @property
    def azure(self) -> Memory:
        """What the file holds now."""
        return Memory.load(self.file)

    def change(self, **parts: Any) -> None:
        """Give Azure another state."""
        memory = self.azure
        memory.text = json.dumps(self.state() | parts)
        memory.save(self.file)

    def fail(self, call: int, fault: str) -> None:
        """Let one call fail, counted from the next on."""
        memory = self.azure
        memory.faults = {str(len(memory.calls) + call): fault}
        memory.save(self.file)


@dataclass
class Service:
    """What a service keeps: the project, Azure, and what jobs told the jobs after them."""

    project: Project
    scenario: SavedScenario
    folder: Path
    values: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    said: str = ""
    delivered: Path = Path("data/raw")  # what upstream has given to staging and production

    def workflow(self, name: str, without: str = "", **given: str) -> list[str]:
        """Run a workflow; returns the jobs that ran. `given` are its inputs, as the shell has them.

        A job whose version is empty, or that needs one which did not run, is skipped.
        """
        everything = [flow for flow in flows(self.project) if flow.workflow == name]
        left = [flow for flow in everything if flow.job != without]
        assert left, f"there is no workflow {name}"
        done: list[str] = []
        self.values = {}
        while ready := next((flow for flow in left if set(flow.needs) <= set(done)), None):
            left.remove(ready)
            if "share" in ready.job and not self.values.get("version"):
                continue
            assert self.job(ready, given) == "success", self.said
            done.append(ready.job)
        return done

    def job(self, flow: Flow, given: dict[str, str]) -> str:
        """Run the steps of a job; returns `success` or `failure`."""
        outcome = "success"
        for step in flow.steps:
            if step.when in (outcome, "always") and self.step(step, given) != 0:
                outcome = "failure"
        return outcome

    def step(self, step: Step, given: dict[str, str]) -> int:
        """Run one, as the service's shell would."""
        jobs = set(self.scenario.state()["jobs"])
        values = self.folder / "values"
        values.write_text("")
        github = self.project.has(".github")
        own = {"GITHUB_OUTPUT": str(values)} if github else {"TF_BUILD": "True"}
        if github:
            own["GITHUB_STEP_SUMMARY"] = str(self.folder / "page.md")
        environment = os.environ | own | given | self._cloud()
        environment["VERSION"] = self.values.get("version", "")
        environment["UV_LOCKED"] = "1"
        self.ran.append(step.task)
        if step.task.startswith("azure-contracts"):
            self._look_upstream()
        if step.task.startswith("deploy ") and step.task.endswith("--env prod"):
            self._certify(environment["VERSION"])
        done = subprocess.run(
            ["bash", "-c", f"uv run poe {step.task.replace(HOLD, '--hold 0')}"],
            cwd=self.project.path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        self.said = f"{step.task} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        told = [line.split("=", 1) for line in values.read_text().splitlines()]
        self.values |= dict(told) | dict(VALUE.findall(done.stdout))
        for name, job in self.scenario.state()["jobs"].items():
            if done.returncode == 0 and name not in jobs and "trigger" in job["spec"]["inputs"]:
                self._train(name, job["spec"])
        if step.task.startswith("azure-ethics"):
            self._see_ethics()
        return done.returncode

    def _cloud(self) -> dict[str, str]:
        bin_folder = scenarios.executable(self.folder / "bin")
        return {
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "AZ_STANDIN": str(self.scenario.file),
            "MLOPS_AZURE_PAUSE": "0",
        }

    def _look_upstream(self) -> None:
        """How the job `upstream` will end in Azure: as the same pipeline ends here."""
        words = ["uv", "run", "mlops", "run", "pipelines/upstream.yml"]
        words += ["--input", f"raw={self.delivered}"]
        done = subprocess.run(words, cwd=self.project.path, capture_output=True, check=False)
        self.scenario.change(ends={"upstream": "Failed" if done.returncode == 1 else "Completed"})

    def _train(self, job: str, spec: dict[str, Any]) -> None:
        """What a job does in Azure: the same pipeline, with dev's champion, without repository."""
        state = self.scenario.state()
        known = self.project.models() if state["models"] else []
        here = {each["version"]: each["role"] for each in known}
        for number, model in state["models"].items():
            if model["tags"]["role"] == "champion" and here[number] != "champion":
                self.project.run("uv", "run", "mlops", "promote", number, "--why", "it serves")
        train = ("uv", "run", "mlops", "run", "pipelines/train.yml")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GIT_DIR", str(self.folder / "no repository"))
            patch.setenv("AZUREML_ROOT_RUN_ID", job)
            for name, value in spec["jobs"]["train"]["environment_variables"].items():
                patch.setenv(name, value)
            self.project.run(*train, "--input", f"trigger={spec['inputs']['trigger']}")
        left = self.folder / "left" / job
        shutil.copytree(self.project.path / self.project.last(), left)
        shutil.rmtree(self.project.path / "outputs")  # another machine's
        made = {each["version"]: _model(each) for each in self.project.models()}
        models = dict.fromkeys(made.keys() - state["models"], str(left / "train" / "model"))
        self.scenario.change(
            models=made | state["models"],
            left=state["left"] | {job: str(left)},
            files=models | state["files"],
        )

    def _certify(self, version: str) -> None:
        """The model validator, who has seen staging, does it beside the workflow."""
        registries = self.scenario.state()["registries"]
        if version in registries[REGISTRY]:
            registries[REGISTRY][version]["stage"] = "Production"
            self.scenario.change(registries=registries)

    def _see_ethics(self) -> None:
        """Versions of dev are the same, whether MLflow or Azure ML shows them."""
        models = self.scenario.state()["models"]
        for version in self.project.models():
            said = {key: value for key, value in version.items() if key.startswith("ethics")}
            models[version["version"]]["tags"] |= said
        self.scenario.change(models=models)


def start(project: Project, folder: Path, state: dict[str, Any]) -> Service:
    """A service for a project, with Azure in this state."""
    folder.mkdir(parents=True)
    azure = folder / "azure.json"
    store = f"sqlite:///{project.path / '.mlops' / 'mlflow.db'}"
    Memory(state | {"tracking": store}).save(azure)
    return Service(project, SavedScenario(project.path, azure), folder)


def set_up(project: Project, folder: Path) -> dict[str, Any]:
    """Azure with workspaces, a registry and empty endpoints, as the project's commands make it."""
    workspaces = [f"mlw-{NAME}-{name}" for name in ("dev", "staging", "prod")]
    state = {"workspaces": workspaces, "registries": {REGISTRY: {}}, "answer": scenarios.ANSWER}
    state["computes"] = {  # infra/ made them
        f"{name}:cpu": {"enable_node_public_ip": name.endswith("-dev")} for name in workspaces
    }
    service = start(project, folder, state | {"now": None})
    for environment in ("dev", "staging", "prod"):
        step = Step(f"azure-setup --env {environment}")
        assert service.step(step, {}) == 0, service.said
    return service.scenario.state()


def _model(version: dict[str, Any]) -> dict[str, Any]:
    tags = {key: str(value) for key, value in version.items() if key != "version"}
    return {"name": NAME, "version": version["version"], "tags": tags}
