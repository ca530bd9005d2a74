"""Scenarios: a project and a stand-in for Azure, in which a test may break one call."""

import copy
import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlops_platform import cli
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data.contract import load_contract
from typer.main import get_command

from package.tests.azure import az_standin
from package.tests.samples import EXAMPLES

PROJECT = EXAMPLES / "credit-risk"
NAME = "credit-risk"
REGISTRY = f"mlr-{NAME}"
SUBNET = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
LABELS = load_contract(PROJECT / "conf" / "data.yml", "classification").labels
SHARES = {label: 1 / len(LABELS) for label in LABELS}
ANSWER = {
    "model": NAME,
    "version": "{version}",
    "predictions": [{"label": LABELS[0], "probabilities": SHARES}],
}

# An hour after the time at which the stand-in makes jobs.
NOW = datetime.fromisoformat(az_standin.EMPTY["now"]) + timedelta(hours=1)
YAML_LOAD = yaml.load
# As `cli.invoke` does it, but built once: building takes as long as a whole run.
COMMANDS = get_command(cli.azure.azure)


class Killed(BaseException):
    """The caller's end, as SIGKILL brings it: nothing of ours may catch it."""


@dataclass(frozen=True)
class Scenario:
    """A project in `root`, and Azure."""

    root: Path
    azure: az_standin.Memory

    def state(self) -> dict[str, Any]:
        """Azure as it is now."""
        return json.loads(self.azure.text)

    def change(self, **parts: Any) -> None:
        """Give Azure another state."""
        self.azure.text = json.dumps(self.state() | parts)

    def calls(self) -> list[list[str]]:
        """The commands that Azure was given."""
        return self.azure.calls

    def history(self) -> list[dict[str, Any]]:
        """The state after each change."""
        return [json.loads(text) for text in self.azure.history]

    def fail(self, call: int, fault: str) -> None:
        """Let one call fail, counted from the next on."""
        self.azure.faults = {str(len(self.calls()) + call): fault}

    def copy(self) -> "Scenario":
        """The same state, with nothing called yet."""
        return Scenario(self.root, az_standin.Memory(self.state()))

    def roles(self, environment: str = "prod") -> dict[str, str]:
        """The role of each version."""
        state = self.state()
        versions = state["models"] if environment == "dev" else state["registries"][REGISTRY]
        return {number: found["tags"].get("role", "") for number, found in versions.items()}

    def online(self, environment: str = "prod") -> dict[str, Any]:
        """The online endpoint."""
        return self.state()["online"][f"{NAME}-{environment}"]

    def default(self, environment: str = "prod") -> str | None:
        """The batch endpoint's default deployment."""
        return self.state()["batch"][f"{NAME}-{environment}-b"]["defaults"].get("deployment_name")


def start(root: Path, *, infra: bool = False) -> Scenario:
    """A scenario with workspaces, a registry, and no endpoint.

    Without `infra`, as in older projects, another makes the environments. Nobody decides on its
    stage, as in projects of before: test_azure_stage.py is about those that do.
    """
    for folder in ("conf", "pipelines", "azureml", *["infra"] * infra):
        shutil.copytree(PROJECT / folder, root / folder)
    (root / "conf" / "stage.yml").unlink()
    for settings in () if infra else (root / "conf").glob("*.yml"):
        lines = settings.read_text().splitlines(keepends=True)
        settings.write_text("".join(line for line in lines if not line.startswith("infra: ")))
    for folder in ("src", "data"):
        (root / folder).symlink_to(PROJECT / folder)  # no test changes them
    (root / "uv.lock").write_text("the lock of this scenario")
    workspaces = [f"mlw-{NAME}-{name}" for name in ("dev", "staging", "prod")]
    state = {"workspaces": workspaces, "registries": {REGISTRY: {}}, "answer": ANSWER}
    return Scenario(root, az_standin.Memory(state))


def version(number: str, role: str, **tags: str) -> dict[str, dict[str, Any]]:
    """A version with a role; the later ones took theirs later."""
    tags = {
        "role": role,
        "role_why": "planted",
        "role_since": f"2026-01-0{number}T00:00:00",
        "predictions_hash": f"p{number}",
        **tags,
    }
    return {number: {"name": NAME, "version": number, "tags": tags}}


def yaml_once(text: str, Loader: type) -> Any:  # noqa: N803  the name is PyYAML's
    """As `yaml.load`: a command reads a dozen files, and thousands of commands read the same."""
    return copy.deepcopy(_yaml(text, Loader))


@functools.cache
def _yaml(text: str, loader: type) -> Any:
    return YAML_LOAD(text, Loader=loader)


class Runner:
    """Runs `mlops azure ...` in this process, and the stand-in, too: a process each is slow.

    `kinds` are the last run's calls, one of each kind: the same words in the same state.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scenario: Scenario | None = None
        self.error: Exception | None = None
        self.kinds: dict[tuple[str, ...], int] = {}
        self._patch = monkeypatch
        monkeypatch.setattr("mlops_platform.azure.az.shutil.which", lambda name: name)
        monkeypatch.setattr("mlops_platform.azure.az.subprocess", self)
        monkeypatch.setattr("mlops_platform.core.terminal.log", lambda text: None)
        monkeypatch.setattr("mlops_platform.azure.environments.export", self._export)
        monkeypatch.setattr("mlops_platform.monitoring.cooldown.utc_now", lambda: NOW)
        monkeypatch.setattr("yaml.load", yaml_once)
        monkeypatch.setenv("MLOPS_AZURE_PAUSE", "0")
        monkeypatch.setenv("MLOPS_USER", "tests")

    TimeoutExpired = subprocess.TimeoutExpired
    DEVNULL = subprocess.DEVNULL

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Takes the place of `subprocess.run` in az.py."""
        assert self.scenario is not None
        assert command[0] == "az"
        azure = self.scenario.azure
        words = (word for word in command[1:] if not word.startswith("/"))  # no scratch files
        self.kinds.setdefault((azure.text, *words), len(azure.calls) + 1)
        code, out, err = az_standin.main(command[1:], azure, self._kill)
        return subprocess.CompletedProcess(command, code, out, err)

    def __call__(self, scenario: Scenario, *words: str) -> str:
        """Run a command: `done`, `gate`, `error` or `killed`."""
        self.scenario = scenario
        self.kinds = {}
        self._patch.chdir(scenario.root)
        try:
            COMMANDS.main(list(words), prog_name="mlops azure", standalone_mode=False)
        except GateError as error:
            self.error = error
            return "gate"
        except UsageError as error:
            self.error = error
            return "error"
        except Killed:
            return "killed"
        return "done"

    @staticmethod
    def _kill() -> None:
        raise Killed

    @staticmethod
    def _export(root: Path) -> None:
        for dockerfile in (root / "pipelines" / "environments").glob("*/Dockerfile"):
            dockerfile.with_name("requirements.txt").write_text("pandas==3.0\n")


class Terraform:
    """Takes the place of `subprocess` in infra.py: what was run, and an apply that makes things."""

    DEVNULL = subprocess.DEVNULL

    def __init__(self) -> None:
        self.scenario: Scenario | None = None
        self.calls: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.fails = ""  # the command that does

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """A command; `apply` makes workspace and cluster."""
        self.calls.append(command[1:])
        self.environments.append(options["env"])
        if "apply" in command and self.scenario is not None:
            environment = command[-1].removeprefix("-var=environment=")
            self.make(environment)
        return subprocess.CompletedProcess(command, int(self.fails in command))

    def make(self, environment: str) -> None:
        """Workspace and cluster, as conf/ describes them."""
        assert self.scenario is not None
        name = f"mlw-{NAME}-{environment}"
        cluster = {"size": "STANDARD_DS3_V2", "enable_node_public_ip": environment == "dev"}
        self.scenario.change(
            workspaces=[*self.scenario.state()["workspaces"], name],
            computes=self.scenario.state()["computes"] | {f"{name}:cpu": cluster},
        )


def unserved_champions(scenario: Scenario, environment: str = "prod") -> Iterator[str]:
    """What breaks the promise in any state that Azure has been in."""
    for number, text in enumerate([*scenario.azure.history, scenario.azure.text], start=1):
        for fault in _unserved(text, environment):
            yield f"change {number}: {fault}"


@functools.cache
def _unserved(text: str, environment: str) -> list[str]:
    """What breaks the promise in one state."""
    state = json.loads(text)
    endpoint = state["online"].get(f"{NAME}-{environment}")
    if endpoint is None:
        return []
    total = sum(endpoint["traffic"].values())
    faults = [] if total in (0, 100) else [f"traffic of {total} %"]
    served = {
        endpoint["deployments"][name]["model"].rpartition("/")[2].rpartition(":")[2]
        for name in endpoint["traffic"]
    }
    versions = state["models"] if environment == "dev" else state["registries"][REGISTRY]
    faults += [
        f"champion {found['version']}, served {served}"
        for found in versions.values()
        if found["tags"].get("role") == "champion" and found["version"] not in served
    ]
    return faults


def refusal(mlops: Runner, scenario: Scenario, *words: str) -> str:
    """The message of a command that changes nothing and says no."""
    before = len(scenario.history())
    assert mlops(scenario, *words) in ("gate", "error")
    assert len(scenario.history()) == before
    return str(mlops.error)


def collect(scenario: Scenario, colour: str) -> None:
    """Give production's monitor the data that it reads."""
    names = (f"{NAME}-reference", f"{NAME}-truth", f"{NAME}-prod-{colour}-model_outputs")
    scenario.change(data=scenario.state()["data"] | {f"{name}:1": {"name": name} for name in names})


def settings(scenario: Scenario) -> dict[str, Any]:
    """Which autoscale settings there are: machines, and each rule in short."""
    return {
        name: (
            {key: int(count) for key, count in setting["profiles"][0]["capacity"].items()},
            [
                (rule["scaleAction"]["direction"], rule["metricTrigger"]["threshold"])
                for rule in setting["profiles"][0]["rules"]
            ],
        )
        for name, setting in scenario.state()["autoscale"].items()
    }


def executable(folder: Path) -> Path:
    """The stand-in as a program named `az`; returns the folder for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "az"
    source = Path(az_standin.__file__).read_text(encoding="utf-8")
    program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    program.chmod(0o755)
    return folder
