"""Do the specs say what conf/ says? Names, experiments, columns and limits stand there once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from pathlib import Path

from mlops_platform.azure.render import disagreements
from mlops_platform.settings import Cloud, Environment, load_cloud, load_project
from mlops_platform.specs.nodes import Fault, Node
from mlops_platform.specs.project import Spec
from mlops_platform.specs.shapes import listed

ASSETS = ("raw", "training", "inference")
ALIKE = 0.6  # another project's name is less like ours than a misspelt one
ENVIRONMENTS: tuple[Environment, ...] = ("dev", "staging", "prod")


def faults(root: Path, specs: Iterable[Spec]) -> Iterator[Fault]:
    """Everything that differs, below `root`; nothing where there is no conf/project.yml.

    Raises:
        UsageError: conf/ itself is wrong.
    """
    conf = root / "conf"
    if not (conf / "project.yml").is_file():
        return
    specs = list(specs)
    for path, reason in disagreements(root):
        yield _at_its_line(root / path, reason, specs)
    name = load_project(conf).name
    clouds = [load_cloud(conf, env) for env in ENVIRONMENTS if (conf / f"{env}.yml").is_file()]
    for spec in specs:
        yield from _names(spec, name)
        if clouds and spec.path.resolve().is_relative_to((root / "azureml").resolve()):
            yield from _endpoints(spec, clouds, name)


def _at_its_line(path: Path, reason: str, specs: list[Spec]) -> Fault:
    """The reason, with the field that stands at the line that it names."""
    found = re.search(r"at line (\d+)", reason)
    line, field = int(found[1]) if found else 1, "(whole file)"
    for spec in specs:
        if spec.path.resolve() == path.resolve():
            fields = [node.field for node in spec.tree.walk() if node.line == line and node.field]
            field = fields[-1] if fields else field
    return Fault(_shown(path), line, field, reason)


def _names(spec: Spec, name: str) -> Iterator[Fault]:
    """Names of the project, which conf/project.yml gives."""
    tree = spec.tree
    for node in (tree.get("experiment_name"), tree.get("tags", "project")):
        if node is not None and isinstance(node.value, str) and node.value != name:
            yield _differs(node, name)
    for node in tree.walk():
        match = re.fullmatch(r"azureml:([A-Za-z][\w.-]*):([\w.-]+)", str(node.value))
        if match is None:
            continue
        field = node.field.rpartition(".")[2]
        if field == "model" and "deployment" in spec.kind.family:
            meant = name
        else:
            meant = _meant(match[1], name, environment=field == "environment")
        if meant and match[1] != meant:
            yield _differs(node, f"azureml:{meant}:{match[2]}")
    own = tree.get("name")
    if own is not None and spec.is_a("environment", "data"):
        meant = _meant(str(own.value), name)
        if meant and own.value != meant:
            yield _differs(own, meant)


def _meant(given: str, name: str, *, environment: bool = False) -> str:
    """The project's own asset that a name must mean, as it is one with another spelling."""
    if environment and given.startswith(f"{name}-") and given not in (own := _assets(name)):
        return own[1] if "train" in given else own[2]
    project, _, what = given.rpartition("-")
    like = SequenceMatcher(None, project, name).ratio()
    return f"{name}-{what}" if what in ASSETS and like > ALIKE else ""


def _assets(name: str) -> list[str]:
    return [f"{name}-{what}" for what in ASSETS]


def _endpoints(spec: Spec, clouds: list[Cloud], project: str) -> Iterator[Fault]:
    """Names of endpoints: those of conf/<env>.yml, or dev's first one, which `deploy` replaces."""
    flavour, _, what = spec.kind.family.partition(" ")
    if what not in ("endpoint", "deployment"):
        return
    known = sorted({getattr(cloud.endpoints, flavour) for cloud in clouds})
    first = f"{project}-dev" + ("-b" if flavour == "batch" else "")
    node = spec.tree.get("name" if what == "endpoint" else "endpoint_name")
    if node is not None and node.value not in (*known, first):
        where = f"conf/<env>.yml, `endpoints.{flavour}`"
        yield node.fault(f"{node.value!r} is in no {where}; write {listed(known)}")


def _differs(node: Node, value: str) -> Fault:
    says = f"{node.value!r} differs from conf/project.yml, `name`; write {value}"
    return node.fault(says)


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
