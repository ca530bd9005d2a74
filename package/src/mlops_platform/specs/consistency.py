"""House rules: specs match conf/, the source of names, experiments, columns, limits and network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from pathlib import Path

from mlops_platform.azure.render import find_differences
from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.schemas.validators import join_names
from mlops_platform.settings import Cloud, Environment, load_cloud, load_project
from mlops_platform.specs.project import Spec
from mlops_platform.specs.rules import network

ASSETS = ("raw", "training", "inference")
MIN_SIMILARITY = (
    0.6  # less similar names belong to another project; more similar ones are misspelled
)
ENVIRONMENTS: tuple[Environment, ...] = ("dev", "staging", "prod")


def check(root: Path, specs: Iterable[Spec]) -> Iterator[Problem]:
    """Find all differences in `root`; none without conf/project.yml.

    Raises:
        UsageError: conf/ itself is invalid.
    """
    conf = root / "conf"
    if not (conf / "project.yml").is_file():
        return
    specs = list(specs)
    for path, reason in find_differences(root):
        yield _locate(root / path, reason, specs)
    name = load_project(conf).name
    clouds = [load_cloud(conf, env) for env in ENVIRONMENTS if (conf / f"{env}.yml").is_file()]
    if (production := conf / "prod.yml").is_file():
        yield from network.check_production(_relative(production))
    for spec in specs:
        yield from _check_names(spec, name)
        if clouds and spec.path.resolve().is_relative_to((root / "azureml").resolve()):
            yield from _check_endpoints(spec, clouds, name)


def _locate(path: Path, reason: str, specs: list[Spec]) -> Problem:
    """A problem with the field at the line that the reason names."""
    match = re.search(r"at line (\d+)", reason)
    line, field = int(match[1]) if match else 1, "(whole file)"
    for spec in specs:
        if spec.path.resolve() == path.resolve():
            fields = [node.field for node in spec.tree.walk() if node.line == line and node.field]
            field = fields[-1] if fields else field
    return Problem(_relative(path), line, field, reason, house=True)


def _check_names(spec: Spec, name: str) -> Iterator[Problem]:
    """Check names that conf/project.yml defines."""
    tree = spec.tree
    for node in (tree.get("experiment_name"), tree.get("tags", "project")):
        if node is not None and isinstance(node.value, str) and node.value != name:
            yield _difference(node, name)
    for node in tree.walk():
        match = re.fullmatch(r"azureml:([A-Za-z][\w.-]*):([\w.-]+)", str(node.value))
        if match is None:
            continue
        field = node.field.rpartition(".")[2]
        if field == "model" and "deployment" in spec.kind.family:
            expected = name
        else:
            expected = _expected_name(match[1], name, environment=field == "environment")
        if expected and match[1] != expected:
            yield _difference(node, f"azureml:{expected}:{match[2]}")
    name_node = tree.get("name")
    if name_node is not None and spec.is_a("environment", "data"):
        expected = _expected_name(str(name_node.value), name)
        if expected and name_node.value != expected:
            yield _difference(name_node, expected)


def _expected_name(value: str, name: str, *, environment: bool = False) -> str:
    """The project's asset that a misspelled name probably means; empty if there is none."""
    if environment and value.startswith(f"{name}-") and value not in (names := _assets(name)):
        return names[1] if "train" in value else names[2]
    project, _, suffix = value.rpartition("-")
    similarity = SequenceMatcher(None, project, name).ratio()
    return f"{name}-{suffix}" if suffix in ASSETS and similarity > MIN_SIMILARITY else ""


def _assets(name: str) -> list[str]:
    return [f"{name}-{suffix}" for suffix in ASSETS]


def _check_endpoints(spec: Spec, clouds: list[Cloud], project: str) -> Iterator[Problem]:
    """Check names of endpoints: of conf/<env>.yml, or the one that `deploy` replaces."""
    endpoint_type, _, resource = spec.kind.family.partition(" ")
    if resource not in ("endpoint", "deployment"):
        return
    names = sorted({getattr(cloud.endpoints, endpoint_type) for cloud in clouds})
    template_name = f"{project}-dev" + ("-b" if endpoint_type == "batch" else "")
    node = spec.tree.get("name" if resource == "endpoint" else "endpoint_name")
    if node is not None and node.value not in (*names, template_name):
        source = f"conf/<env>.yml, `endpoints.{endpoint_type}`"
        yield node.problem(
            f"{node.value!r} is in no {source}; write {join_names(names)}", house=True
        )


def _difference(node: Node, value: str) -> Problem:
    message = f"{node.value!r} differs from conf/project.yml, `name`; write {value}"
    return node.problem(message, house=True)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
