"""Who may do what in Azure: the roles of infra/roles.yml, over the actions that Azure knows.

As Azure does it: https://learn.microsoft.com/azure/role-based-access-control/role-definitions. A
`*` stands for any text, also with `/`; letters count alike in both cases; what `never` names is
taken out of each role; the rights to data are a list of their own.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.settings import ENVIRONMENTS, Environment, Role, Settings, parse

ACTIONS = Path(__file__).with_name("actions.txt")
ROLES = Path("infra/roles.yml")
ML = "Microsoft.MachineLearningServices/"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"
# What hands out keys, tokens for them, or secrets, by the ends of names.
KEYS = re.compile(
    r"(?i)(list\w*keys|listcredentials|regeneratekeys?|resynckeys|listsecrets|readsecrets"
    r"|list\w+sas|listnotebookaccesstoken|getsecret)/|/metadata/secrets/"
)
DEPLOY = f"{ML}workspaces/onlineEndpoints/deployments/write"
CERTIFY = (f"{ML}workspaces/assets/stage/write", f"{ML}registries/assets/stage/write")
# Actions in plain words.
WORDS = {
    "train": f"{ML}workspaces/jobs/write",
    "register": f"{ML}workspaces/models/versions/write",
    "certify": CERTIFY[1],
    "share": f"{ML}registries/assets/write",
    "deploy": DEPLOY,
    "roll out": f"{ML}workspaces/onlineEndpoints/write",
    "roll back": f"{ML}workspaces/onlineEndpoints/write",
    "schedule": f"{ML}workspaces/schedules/write",
    "call": f"{ML}workspaces/onlineEndpoints/score/action",
    "read logs": f"{ML}workspaces/onlineEndpoints/deployments/getlogs/action",
    "read runs": f"{ML}workspaces/experiments/runs/read",
    "read models": f"{ML}workspaces/models/versions/read",
    "delete models": f"{ML}workspaces/models/versions/delete",
    "read data": f"{BLOBS}read",
    "write data": f"{BLOBS}write",
    "delete data": f"{BLOBS}delete",
    "read keys": f"{ML}workspaces/onlineEndpoints/listKeys/action",
    "change the cluster": f"{ML}workspaces/computes/write",
    "change the workspace": f"{ML}workspaces/write",
    "give roles": "Microsoft.Authorization/roleAssignments/write",
}

Actions = list[Annotated[str, Field(min_length=1)]]


class Set(Settings):
    """Actions that belong together."""

    ml: Actions = Field(default_factory=list)
    other: Actions = Field(default_factory=list)
    blobs: Actions = Field(default_factory=list)

    @property
    def actions(self) -> list[str]:
        """Full names, with their wildcards."""
        return [*(ML + name for name in self.ml), *self.other]

    @property
    def data_actions(self) -> list[str]:
        """Full names of the rights to data."""
        return [BLOBS + name for name in self.blobs]


class Roles(Settings):
    """infra/roles.yml."""

    sets: dict[str, Set]
    never: Actions
    people: dict[Role, dict[Environment, list[str]]]
    ci: dict[str, list[str]]


@dataclass(frozen=True)
class Definition:
    """What one role may do in one environment: patterns of actions, and of those of data."""

    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    data_actions: tuple[str, ...]

    def allows(self, action: str) -> bool:
        """Whether it may do an action, which is one of `known_actions`."""
        if action in known_actions(data=True):
            return any(matches(pattern, action) for pattern in self.data_actions)
        return any(matches(pattern, action) for pattern in self.actions) and not any(
            matches(pattern, action) for pattern in self.not_actions
        )


@functools.cache
def known_actions(*, data: bool) -> frozenset[str]:
    """The actions that Azure knows: those of data, or the others."""
    lines = ACTIONS.read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    return frozenset(
        line.removeprefix("data ") for line in named if line.startswith("data ") == data
    )


def matches(pattern: str, action: str) -> bool:
    """Whether a name with `*` covers an action, as Azure compares them."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), action, re.IGNORECASE) is not None


def load(root: Path) -> Roles:
    """Read infra/roles.yml of the project in `root`.

    Raises:
        UsageError: a field is wrong, or a role names a set that is not there.
    """
    source = root / ROLES
    if not source.exists():
        raise UsageError(f"{source}: does not exist. `uv run poe template-update` brings it.")
    roles = parse(Roles, read_yaml(source), source)
    named = {
        **{
            f"people.{role}.{env}": sets
            for role, per in roles.people.items()
            for env, sets in per.items()
        },
        **{f"ci.{job}": sets for job, sets in roles.ci.items()},
    }
    for field, sets in named.items():
        if unknown := sorted(set(sets) - set(roles.sets)):
            raise UsageError(
                f"{source}, field `{field}`: there is no set {', '.join(unknown)}; choose from "
                f"{', '.join(roles.sets)}."
            )
    for role, per in roles.people.items():
        if missing := sorted(set(ENVIRONMENTS) - set(per)):
            raise UsageError(f"{source}, field `people.{role}`: {', '.join(missing)} is missing.")
    return roles


def define(roles: Roles, sets: list[str], name: str) -> Definition:
    """The definition that infra/access.tf makes of some sets."""
    chosen = [roles.sets[each] for each in sets]
    return Definition(
        name,
        tuple(action for each in chosen for action in each.actions),
        tuple(ML + action for action in roles.never),
        tuple(action for each in chosen for action in each.data_actions),
    )


def definitions(roles: Roles) -> Iterator[Definition]:
    """All of them, as `prod model_validator` and `ci share`."""
    for role, per in roles.people.items():
        for environment in ENVIRONMENTS:
            yield define(roles, per[environment], f"{environment} {role}")
    for job, sets in roles.ci.items():
        yield define(roles, sets, f"ci {job}")


def find_action(text: str) -> str:
    """The action that a text means: plain words, or Azure's name, with or without its beginning.

    Raises:
        UsageError: Azure knows no such action.
    """
    every = known_actions(data=False) | known_actions(data=True)
    spelled = {action.lower(): action for action in every}
    asked = WORDS.get(" ".join(text.lower().split()), text)
    for beginning in ("", ML, f"{ML}workspaces/", BLOBS):
        if found := spelled.get(f"{beginning}{asked}".lower()):
            return found
    short = {name.rpartition("workspaces/")[2]: action for name, action in spelled.items()}
    close = difflib.get_close_matches(asked.lower(), [*WORDS, *short], n=3, cutoff=0.5)
    hint = f" Perhaps {' or '.join(short.get(each, each) for each in close)}?" if close else ""
    raise UsageError(
        f"{text!r}: Azure has no such action, and it is none of {', '.join(WORDS)}.{hint}"
    )


def find_role(text: str, roles: Roles) -> Role:
    """The role that a text means: `model_validator`, `model validator`, or `validator`.

    Raises:
        UsageError: there is none, or several.
    """
    asked = "_".join(text.lower().replace("-", " ").split())
    found: list[Role] = [role for role in roles.people if role == asked]
    found = found or [role for role in roles.people if role.endswith(f"_{asked}")]
    if len(found) != 1:
        raise UsageError(f"{text!r} is no role; choose one of {', '.join(roles.people)}.")
    return found[0]


def answer(roles: Roles, role: Role, action: str) -> dict[Environment, list[str]]:
    """In each environment the sets that let a role do an action; none: it may not."""
    return {
        environment: [each for each in sets if define(roles, [each], each).allows(action)]
        for environment, sets in roles.people[role].items()
    }


def require_sound(root: Path) -> int:
    """Check infra/roles.yml: each name exists, nobody gets keys, two people deploy.

    Returns the number of roles.

    Raises:
        GateError: one line for each fault.
    """
    roles = load(root)
    every = list(definitions(roles))
    faults = [*_unknown(roles), *(fault for each in every for fault in _too_wide(each))]
    if faults:
        raise GateError("\n".join(f"{root / ROLES}: {fault}" for fault in faults))
    return len(every)


def _unknown(roles: Roles) -> Iterator[str]:
    """Names that no action of Azure has: such a right is missing where it is needed."""
    named = {f"sets.{name}": (each.actions, False) for name, each in roles.sets.items()}
    named |= {f"sets.{name}, data": (each.data_actions, True) for name, each in roles.sets.items()}
    named["never"] = ([ML + action for action in roles.never], False)
    for field, (patterns, data) in named.items():
        for pattern in patterns:
            if not any(matches(pattern, action) for action in known_actions(data=data)):
                yield f"`{field}`: Azure has no action {pattern}"


def _too_wide(role: Definition) -> Iterator[str]:
    """What no role may be."""
    may = {action for action in known_actions(data=False) if role.allows(action)}
    for action in sorted(may):
        if KEYS.search(action):
            yield f"{role.name} gets keys by {action}; name it under `never`"
        if action.startswith("Microsoft.Authorization/"):
            yield f"{role.name} gives itself rights by {action}"
    if may & set(CERTIFY) and role.name != "prod model_validator":
        yield f"{role.name} certifies; only the model validator does, and in production"
    if may & set(CERTIFY) and DEPLOY in may:
        yield f"{role.name} certifies and deploys; that takes two people"
    for action in (f"{ML}workspaces/write", f"{ML}workspaces/computes/write"):
        if action in may:
            yield f"{role.name} has {action}; infra/ makes workspace and cluster"
    reads = role.allows(f"{BLOBS}read") or f"{ML}workspaces/jobs/write" in may
    if role.name.startswith("prod ") and reads and role.name != "prod data_reader":
        yield f"{role.name} reads production's data, itself or by a job; only data_reader does"
