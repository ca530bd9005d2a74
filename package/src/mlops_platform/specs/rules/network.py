"""House rules for the network: no public address, no SSH, and an identity instead of secrets.

conf/<env>.yml, `network`, opens an environment; the files stay closed. The fields and their values
are those of azure-ai-ml: _schema/compute/aml_compute.py, _schema/identity.py,
_schema/_endpoint/online and _schema/_deployment/online.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlops_platform.schemas import nodes
from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.specs.project import Spec

MACHINES = ("amlcompute", "computeinstance")
OPEN = "conf/<env>.yml, `network`, can open an environment"


def check(spec: Spec) -> Iterator[Problem]:
    """Find public addresses, SSH, and machines or endpoints without an identity."""
    tree = spec.tree
    if spec.is_a("compute") and tree.text("type").lower() in MACHINES:
        yield from _require(tree, "enable_node_public_ip", False, f"write false; {OPEN}")
        yield from _require(tree, "ssh_public_access_enabled", False, "write false")
        if (ssh := tree.get("ssh_settings")) is not None:
            yield ssh.problem("gives people access to a machine; remove it", house=True)
        yield from _identity(tree)
    if spec.is_a("online endpoint") and spec.kind.name.startswith("managed"):
        yield from _require(tree, "public_network_access", "disabled", f"write disabled; {OPEN}")
        yield from _identity(tree)
    if spec.is_a("online deployment") and spec.kind.name.startswith("managed"):
        field = "egress_public_network_access"
        yield from _require(tree, field, "disabled", f"write disabled; {OPEN}")


def check_production(settings: Path) -> Iterator[Problem]:
    """Check that conf/prod.yml names who decided that production has public addresses."""
    tree, _ = nodes.read(settings)
    public = tree.get("network", "public") if tree is not None else None
    if tree is None or public is None or public.value is not True:
        return
    if not tree.text("network", "decided_by"):
        message = "production would have public addresses; write false, or `decided_by: NAME`"
        yield public.problem(message, house=True)


def _require(tree: Node, name: str, expected: object, write: str) -> Iterator[Problem]:
    node = tree.get(name)
    if node is None:
        yield tree.missing(name, f"is missing, and the default may be open; {write}", house=True)
    elif str(node.value).lower() != str(expected).lower():
        yield node.problem(f"is {node.value!r}, which is open to the internet; {write}", house=True)


def _identity(tree: Node) -> Iterator[Problem]:
    kind = tree.get("identity", "type")
    message = "write {type: system_assigned}, so that no key or password is needed"
    if kind is None:
        yield tree.missing("identity", f"is missing; {message}", house=True)
    elif str(kind.value).lower() == "none":
        yield kind.problem(f"is none; {message}", house=True)
