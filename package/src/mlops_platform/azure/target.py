"""A target environment in Azure: its settings, names and files."""

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
class Target:
    """An environment (dev, staging or prod) of the project in the working folder."""

    environment: Environment
    conf: Path
    project: Project
    cloud: Cloud
    az: Az

    @property
    def name(self) -> str:
        """The model's name, which is the prefix of the other names."""
        return self.project.name

    @property
    def data(self) -> str:
        """The data asset that jobs read, with its version."""
        return f"azureml:{self.name}-raw:{self.cloud.data.version}"

    @property
    def settings(self) -> str:
        """The file with this environment's settings."""
        return f"{self.conf / self.environment}.yml"

    def command(self, arguments: str) -> str:
        """A command of `mlops azure` for this environment, to show in a message."""
        return command_hint(arguments, self.environment)

    def packages(self, file: Path) -> list[str]:
        """Values for `--set`: the registered environment for `file:.../KIND.yml` in a file."""
        reference = read_yaml(file).get("environment")
        if not isinstance(reference, str):
            return []
        kind = Path(reference.removeprefix("file:")).stem
        return [f"environment=azureml:{self.name}-{kind}:{environments.lock_version(Path.cwd())}"]

    def tags(self) -> list[str]:
        """Values for `--set`: the environment's tags."""
        return [f"tags.{key}={value}" for key, value in self.cloud.tags.items()]


def command_hint(arguments: str, environment: Environment) -> str:
    """A command of `mlops azure`, to show in a message."""
    return f"`uv run mlops azure {arguments} --env {environment}`"


def load(conf: Path, environment: Environment, *, dry_run: bool) -> Target:
    """Load the settings of one environment."""
    cloud = load_cloud(conf, environment)
    return Target(environment, conf, load_project(conf), cloud, Az(cloud, dry_run=dry_run))
