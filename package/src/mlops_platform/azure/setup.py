"""Makes in Azure what an environment needs: cluster, data asset, endpoints.

Run it as often as you like: what is there, and as declared, stays.
"""

from __future__ import annotations

from typing import Any

from mlops_platform.azure.az import sets
from mlops_platform.azure.endpoints import Endpoint, of
from mlops_platform.azure.place import COMPUTE, DATA, Place
from mlops_platform.core.errors import UsageError


def run(place: Place) -> None:
    """Make what is missing.

    Raises:
        UsageError: the workspace or the registry is missing, or something stands in the way.
    """
    _require(place)
    _cluster(place)
    _data(place)
    for endpoint in of(place):
        _endpoint(place, endpoint)


def _require(place: Place) -> None:
    cloud, az = place.cloud, place.az
    if az.read("workspace", "show", *az.group, "--name", cloud.workspace) is None:
        raise UsageError(
            f"{place.settings}, field `workspace`: there is no workspace {cloud.workspace} in "
            f"{cloud.resource_group}. Whoever looks after Azure makes it; or correct the name."
        )
    # Its own commands want the resource group of the registry, which may be another team's.
    az.read("model", "list", "--max-results", "1", *az.registry)


def _cluster(place: Place) -> None:
    wanted = place.cloud.cluster
    given = {
        "size": wanted.size,
        "tier": wanted.tier,
        "max_instances": str(wanted.max_nodes),
        "idle_time_before_scale_down": str(wanted.idle_seconds),
    }
    named = ("--name", "cpu", *place.az.workspace)

    def stands() -> bool:
        found = place.az.read("compute", "show", *named)
        return found is not None and all(_same(found.get(key), given[key]) for key in given)

    pairs = [f"{key}={value}" for key, value in given.items()]
    place.az.ensure(
        "cluster cpu",
        stands,
        *("compute", "create", "--file", str(COMPUTE), *named, *sets(*pairs, *place.tags())),
    )


def _data(place: Place) -> None:
    wanted = place.cloud.data
    named = ("--name", f"{place.name}-raw", "--version", wanted.version, *place.az.workspace)

    def stands() -> bool:
        found = place.az.read("data", "show", *named)
        if found is None:
            return False
        if not str(found.get("path")).rstrip("/").endswith(_tail(wanted.path)):
            raise UsageError(
                f"{place.settings}, field `data.path`: version {wanted.version} of "
                f"{place.name}-raw lies at {found.get('path')} in Azure. A version never changes: "
                "raise `data.version`."
            )
        return True

    pairs = [f"path={wanted.path}", *place.tags()]
    place.az.ensure(
        f"data {place.name}-raw {wanted.version}",
        stands,
        *("data", "create", "--file", str(DATA), *named, *sets(*pairs)),
    )


def _endpoint(place: Place, endpoint: Endpoint) -> None:
    file = str(endpoint.folder / "endpoint.yml")
    named = ("--name", endpoint.name, *place.az.workspace)
    place.az.ensure(
        f"{endpoint.kind} endpoint {endpoint.name}",
        lambda: endpoint.find() is not None,
        *(f"{endpoint.kind}-endpoint", "create", "--file", file, *named, *sets(*place.tags())),
    )


def _same(found: Any, wanted: str) -> bool:
    """Azure writes `Dedicated`, `STANDARD_DS3_V2` and `LowPriority` for what we call otherwise."""
    return str(found).lower().replace("_", "") == wanted.lower().replace("_", "")


def _tail(path: str) -> str:
    """The end of a path that Azure keeps when it adds subscription and workspace before it."""
    return path.rstrip("/").partition("://")[2]
