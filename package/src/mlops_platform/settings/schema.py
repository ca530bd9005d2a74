"""Schemas of the files in `conf/`. Errors name the file and the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    model_validator,
)

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.core.names import Environment, Task
from mlops_platform.settings.parsing import Settings, parse

Share = float
SIZE = r"^Standard_[A-Za-z0-9_]+$"
FIELD = r"^[^.]+(\.[^.]+)*$"
DOTTED = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"  # the module and the name of a function
ENDPOINT = r"^[a-z](-?[a-z0-9]){2,31}$"
GROUP = r"^[\w().-]{0,89}[\w()-]$"
STORAGE = r"^[a-z0-9]{3,24}$"
LOCATION = r"^[a-z][a-z0-9]{2,29}$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
Role = Literal[
    "data_scientist",
    "ml_engineer",
    "model_validator",
    "data_engineer",
    "data_reader",
    "domain_expert",
]
SUBNET = r"(?i)^/subscriptions/\S+/providers/Microsoft\.Network/virtualNetworks/\S+/subnets/\S+$"


class Project(Settings):
    """conf/project.yml."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)
    description: str
    team: str
    contact: str
    task: Task
    stage: Literal["explore", "develop", "operate"]
    regulated: bool
    package: str | None = None
    # Functions and classes of the package, and estimators of libraries, that a model's file may
    # hold; estimators of the package, of scikit-learn, LightGBM, XGBoost and CatBoost need no name.
    trusted: list[Annotated[str, Field(pattern=DOTTED)]] = Field(default_factory=list)

    # A public key's file: what `share` signs, and what a deployment from the registry must have.
    signing_key: str | None = None

    @property
    def package_name(self) -> str:
        """The team's importable package in src/: `package`, or the name of the project."""
        return self.package or self.name.replace("-", "_")

    @property
    def gates_block(self) -> bool:
        """Whether quality gates block; at stage `explore` they only report."""
        return self.stage != "explore"


class Split(Settings):
    """How `prepare` splits the rows, with shares of all rows."""

    by: Literal["time", "id", "group", "random"]
    validation: Share = Field(gt=0, lt=0.5)
    test: Share = Field(gt=0, lt=0.5)


class Retrain(Settings):
    """When a machine may start a training: how often, and with how many new labelled rows."""

    cool_down_hours: float = Field(default=24, ge=0)
    per_week: int = Field(default=3, ge=1)
    new_rows: int = Field(default=1, ge=1)


class Cost(Settings):
    """What a wrong decision costs, in any unit: only the ratio counts."""

    false_positive: float = Field(gt=0)
    false_negative: float = Field(gt=0)


class Threshold(Settings):
    """What the threshold of the positive class is chosen for: the best metric, or least cost."""

    metric: str | None = None
    cost: Cost | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Threshold:
        if (self.metric is None) == (self.cost is None):
            raise ValueError("give exactly one of `metric` and `cost`")
        return self


class Train(Settings):
    """conf/train.yml."""

    seed: int = Field(ge=0, lt=2**32)
    time_budget_seconds: float = Field(gt=0, le=1_000_000)  # longer ones overflow a timer
    split: Split
    parameters: dict[str, Any]
    threshold: Threshold | None = None
    retrain: Retrain = Retrain()
    # The search space of a sweep in Azure ML.
    search: dict[str, list[bool | int | float | str]] = Field(default_factory=dict)

    def with_parameters(self, overrides: Mapping[str, str]) -> Train:
        """A copy with other parameters; their values are parsed as JSON, or else are text.

        Raises:
            UsageError: a parameter is not in conf/train.yml.
        """
        parameters = dict(self.parameters)
        for name, text in overrides.items():
            if name not in parameters:
                raise UsageError(
                    f"--parameter {name}={text}: conf/train.yml has no such parameter; "
                    f"choose one of {', '.join(parameters) or 'none'}."
                )
            try:
                parameters[name] = json.loads(text)
            except ValueError:
                parameters[name] = text
        return self.model_copy(update={"parameters": parameters})


class Limit(Settings):
    """A limit on a metric of the test set."""

    metric: str
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Limit:
        if (self.min is None) == (self.max is None):
            raise ValueError("give exactly one of `min` and `max`")
        return self


class Guardrails(Settings):
    """Limits that a challenger must not violate, even if its metric is better."""

    size_mb: float = Field(gt=0)
    load_seconds: float = Field(gt=0)
    worst_group_drop: float = Field(ge=0)
    min_group_rows: int = Field(ge=1)
    growth: float = Field(default=1.5, gt=1)
    new_packages: int = Field(default=10, ge=0)


class Drift(Settings):
    """Limits of drift detection."""

    psi: float = Field(gt=0)
    distance: float = Field(gt=0, lt=1)
    p_value: float = Field(gt=0, lt=1)
    missing: Share = Field(gt=0, lt=1)
    min_rows: int = Field(ge=1)


class Gates(Settings):
    """conf/gates.yml."""

    metric: str
    margin: float = Field(ge=0)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100, le=10_000)
    quality: list[Limit]
    guardrails: Guardrails
    drift: Drift


class Consumer(Settings):
    """A consumer of the model: the fields that it reads from a response, the rows that it sends."""

    reads: dict[Annotated[str, Field(pattern=FIELD)], Literal["text", "number"]] = Field(
        min_length=1
    )
    sends: list[dict[str, Any]] | None = Field(default=None, min_length=1)


class Consumers(Settings):
    """conf/consumers.yml."""

    consumers: dict[str, Consumer]


class Cluster(Settings):
    """Compute cluster for training. Its machines exist only while a job runs."""

    size: str = Field(pattern=SIZE)
    tier: Literal["dedicated", "low_priority"]
    max_nodes: int = Field(ge=1, le=100)
    idle_seconds: int = Field(ge=60, le=7200)


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

    share: Share = Field(ge=0, le=1)
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
        return self


class Member(Settings):
    """Who has a role: the object id of a group in Entra ID, the address for its alerts."""

    group: str | None = Field(default=None, pattern=UUID)
    address: str = Field(pattern=ADDRESS)
    on_call: bool = False


class Ci(Settings):
    """How CI's identities log in: the issuer of its tokens, and the subject of each identity."""

    issuer: str = Field(pattern=r"^https://\S+$")
    subjects: dict[Literal["dev", "share", "staging", "prod"], str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_identity_each(self) -> Ci:
        if len(set(self.subjects.values())) < len(self.subjects):
            raise ValueError("two of `subjects` are the same, so one job could act as another")
        return self


class Team(Settings):
    """conf/team.yml. All but `roles` matter only in Azure."""

    roles: dict[Role, Member]
    definitions: str = Field(default="own", min_length=1)
    just_in_time: bool = True
    ci: Ci | None = None

    @model_validator(mode="after")
    def _somebody_is_called(self) -> Team:
        if not any(member.on_call for member in self.roles.values()):
            raise ValueError("nobody is on call; write `on_call: true` for a role")
        return self


def load_project(conf: Path) -> Project:
    """Read conf/project.yml."""
    return parse(Project, read_yaml(conf / "project.yml"), conf / "project.yml")


def load_train(conf: Path) -> Train:
    """Read conf/train.yml."""
    return parse(Train, read_yaml(conf / "train.yml"), conf / "train.yml")


def load_gates(conf: Path) -> Gates:
    """Read conf/gates.yml."""
    return parse(Gates, read_yaml(conf / "gates.yml"), conf / "gates.yml")


def load_consumers(conf: Path) -> dict[str, Consumer]:
    """Read conf/consumers.yml: consumers by name."""
    source = conf / "consumers.yml"
    return parse(Consumers, read_yaml(source), source).consumers


def load_team(conf: Path) -> Team:
    """Read conf/team.yml."""
    return parse(Team, read_yaml(conf / "team.yml"), conf / "team.yml")


def load_cloud(conf: Path, environment: Environment) -> Cloud:
    """Read conf/dev.yml, conf/staging.yml or conf/prod.yml."""
    source = conf / f"{environment}.yml"
    if not source.exists():
        raise UsageError(
            f"{source}: does not exist, because this project has no cloud. Add it: "
            "`uv run poe template-update --data cloud=azureml`."
        )
    return parse(Cloud, read_yaml(source), source)
