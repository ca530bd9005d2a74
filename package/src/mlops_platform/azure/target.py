"""One environment in Azure: its settings, names and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_platform.azure import environments
from mlops_platform.azure.az import Az
from mlops_platform.core.files import read_yaml
from mlops_platform.settings import Cloud, Environment, Project, load_cloud, load_project

TRAINING = Path("pipelines/train.yml")
COMPUTE = Path("azureml/compute/cpu.yml")
DATA = Path("azureml/data/raw.yml")
ENDPOINTS = Path("azureml/endpoints")
ENVIRONMENTS = Path("pipelines/environments")


@dataclass(frozen=True)
class Place:
    """Where commands act: an environment of the project that lies in the working folder."""

    environment: Environment
    conf: Path
    project: Project
    cloud: Cloud
    az: Az

    @property
    def name(self) -> str:
        """The model's name; other names begin with it."""
        return self.project.name

    @property
    def data(self) -> str:
        """The data asset that jobs read, with its version."""
        return f"azureml:{self.name}-raw:{self.cloud.data.version}"

    @property
    def settings(self) -> str:
        """The file that this environment's settings stand in."""
        return f"{self.conf / self.environment}.yml"

    def command(self, words: str) -> str:
        """For messages: a command of `mlops azure` for this environment, as a person types it."""
        return advice(words, self.environment)

    def packages(self, file: Path) -> list[str]:
        """For `--set`: the registered environment that a file names as `file:.../KIND.yml`."""
        named = read_yaml(file).get("environment")
        if not isinstance(named, str):
            return []
        kind = Path(named.removeprefix("file:")).stem
        return [f"environment=azureml:{self.name}-{kind}:{environments.version(Path.cwd())}"]

    def tags(self) -> list[str]:
        """The environment's tags, for `--set`."""
        return [f"tags.{key}={value}" for key, value in self.cloud.tags.items()]


def advice(words: str, environment: Environment) -> str:
    """For messages: a command of `mlops azure`, as a person types it."""
    return f"`uv run mlops azure {words} --env {environment}`"


def load(conf: Path, environment: Environment, *, dry_run: bool) -> Place:
    """Read the settings of one environment."""
    cloud = load_cloud(conf, environment)
    return Place(environment, conf, load_project(conf), cloud, Az(cloud, dry_run=dry_run))
