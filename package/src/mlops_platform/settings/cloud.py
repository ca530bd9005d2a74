"""Schema of conf/dev.yml, conf/staging.yml and conf/prod.yml: the environments in Azure."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.core.names import Environment
from mlops_platform.settings.parsing import Settings, parse

SIZE = r"^Standard_[A-Za-z0-9_]+$"
ENDPOINT = r"^[a-z](-?[a-z0-9]){2,31}$"
GROUP = r"^[\w().-]{0,89}[\w()-]$"
STORAGE = r"^[a-z0-9]{3,24}$"
LOCATION = r"^[a-z][a-z0-9]{2,29}$"
SUBNET = r"(?i)^/subscriptions/\S+/providers/Microsoft\.Network/virtualNetworks/\S+/subnets/\S+$"


class Cluster(Settings):
    """Compute cluster for training. Its machines exist only while a job runs.

    `quota` is how many cores of this size and tier the subscription may use in the region.
    """

    size: str = Field(pattern=SIZE)
    tier: Literal["dedicated", "low_priority"]
    max_nodes: int = Field(ge=1, le=100)
    idle_seconds: int = Field(ge=60, le=7200)
    quota: int | None = Field(default=None, ge=1)


class Data(Settings):
    """The version of the raw data in an environment."""

    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}$")
    path: str = Field(pattern=r"^(azureml|abfss|wasbs|https)://\S+$")


class Endpoints(Settings):
    """Names of the endpoints, with 3 to 32 letters, digits and hyphens as Azure ML requires."""

    online: str = Field(pattern=ENDPOINT)
    batch: str = Field(pattern=ENDPOINT)


class Machines(Settings):
    """Machines of the online endpoint; autoscaling chooses a number from `min` to `max`."""

    size: str = Field(pattern=SIZE)
    min: int = Field(ge=1)
    max: int = Field(ge=1, le=100)

    @model_validator(mode="after")
    def _in_order(self) -> Machines:
        if self.min > self.max:
            raise ValueError("`min` is above `max`")
        return self


class Collect(Settings):
    """What the online endpoint keeps: the share of requests, and for how many days.

    A regulated project keeps nothing until `decided_by` names who decided that it may.
    """

    share: float = Field(ge=0, le=1)
    days: int = Field(ge=1, le=3650)
    decided_by: str | None = Field(default=None, min_length=1)


class Network(Settings):
    """Whether the cluster and the online endpoint have a public address.

    Without one, the cluster is in the workspace's managed network, or in `subnet` of the team's.
    In production `decided_by` names who decided that the address is public.
    """

    public: bool
    subnet: str | None = Field(default=None, pattern=SUBNET)
    decided_by: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _subnet_is_private(self) -> Network:
        if self.public and self.subnet:
            raise ValueError("`subnet` needs `public: false`")
        return self


class Events(Settings):
    """CI that the function of infra/ tells of events: a repository on GitHub, or pipelines by id.

    With private addresses, `subnet` is the function's own, delegated to Microsoft.App/environments.
    """

    github: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    azure_devops: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.%-]+$")
    pipelines: dict[Literal["retrain", "test"], int] = Field(default_factory=dict)
    subnet: str | None = Field(default=None, pattern=SUBNET)

    @model_validator(mode="after")
    def _one_of_both(self) -> Events:
        if (self.github is None) == (self.azure_devops is None):
            raise ValueError("write `github: OWNER/REPOSITORY` or `azure_devops: ORG/PROJECT`")
        if self.azure_devops and set(self.pipelines) != {"retrain", "test"}:
            raise ValueError("`azure_devops` needs `pipelines: {retrain: ID, test: ID}`")
        return self


class Infra(Settings):
    """What infra/ makes of an environment, with Terraform.

    `shared` is the resource group of what all environments share: the registry, and the storage
    account `state`, in which Terraform keeps what it made. `subnet` is where private endpoints are.
    """

    location: str = Field(pattern=LOCATION)
    shared: str = Field(pattern=GROUP)
    state: str = Field(pattern=STORAGE)
    budget: int = Field(ge=1)  # a month, in the currency of the subscription
    subnet: str | None = Field(default=None, pattern=SUBNET)
    endpoint: bool = False  # there is the endpoint, so that alerts can watch it
    events: Events | None = None  # without it events wait in a queue


class Cloud(Settings):
    """conf/dev.yml, conf/staging.yml and conf/prod.yml: one environment in Azure."""

    resource_group: str = Field(pattern=GROUP)
    workspace: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,32}$")
    registry: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,32}$")
    cluster: Cluster
    data: Data
    endpoints: Endpoints
    machines: Machines
    # A project that has not decided yet keeps what azureml/ says, and public addresses.
    collect: Collect | None = None
    network: Network | None = None
    # Without it somebody else makes workspace, cluster, identities and roles.
    infra: Infra | None = None
    tags: dict[str, str]

    @model_validator(mode="after")
    def _infra_needs_network(self) -> Cloud:
        if self.infra is not None and self.network is None:
            raise ValueError("`infra` needs `network`, which says whether addresses are public")
        events = self.infra.events if self.infra else None
        if events and self.network and not self.network.public and events.subnet is None:
            raise ValueError("`infra.events` needs `subnet`, as `network` is not public")
        return self


def load_cloud(conf: Path, environment: Environment) -> Cloud:
    """Read conf/dev.yml, conf/staging.yml or conf/prod.yml."""
    source = conf / f"{environment}.yml"
    if not source.exists():
        raise UsageError(
            f"{source}: does not exist, because this project has no cloud. Add it: "
            "`uv run poe template-update --data cloud=azureml`."
        )
    return parse(Cloud, read_yaml(source), source)
