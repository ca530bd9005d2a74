"""What a project shares with others, or could: from the files of its last commit."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from mlops_platform.core.git import GitError, text
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hooks.fleet.overview.row import Asset, Kind
from hooks.fleet.overview.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[3]
MANAGED = "# Managed by the template"
PLATFORM = "mlops-platform"
EXAMPLE = "example-caller"  # the consumer that the template renders
ENVIRONMENTS = tuple(f"conf/{name}.yml" for name in ("dev", "staging", "prod"))
PYPROJECT, REUSE, CONSUMERS = "pyproject.toml", "conf/reuse.yml", "conf/consumers.yml"
YAML = (".yml", ".yaml")
SPECS: dict[str, Kind] = {
    "pipelines/components": "components",
    "pipelines/environments": "environments",
}
SHARED = re.compile(
    r"azureml://registries/([\w.-]+)/(models|components|environments|data)/([\w.-]+)"
)
# Modules that the template renders from the answers, so that many projects have the same.
RENDERED = ("__init__.py", "model.py")


def paths(snapshot: Snapshot) -> list[str]:
    """The files that `find` and `copies` read."""
    return [PYPROJECT, REUSE, CONSUMERS, *ENVIRONMENTS, *_yaml_of_azure(snapshot)]


def _yaml_of_azure(snapshot: Snapshot) -> list[str]:
    """Pipelines, components, environments, jobs, schedules."""
    return [
        path
        for path in snapshot.hashes
        if path.startswith(("pipelines/", "azureml/")) and path.endswith(YAML)
    ]


def find(snapshot: Snapshot, model: str | None) -> list[Asset]:
    """All assets of a project, each once; `model` is the name under which its model is kept."""
    found = [
        *_model(snapshot, model),
        *_specs(snapshot),
        *_packages(snapshot),
        *_data(snapshot),
        *_existing(snapshot),
    ]
    return list(dict.fromkeys(found))


def copies(snapshot: Snapshot) -> dict[str, str]:
    """Files that another project may have as well, by hash: none that any release rendered."""
    return {
        hashed: path
        for path, hashed in snapshot.hashes.items()
        if hashed not in rendered() and _can_be_shared(path) and not _is_managed(snapshot, path)
    }


@functools.cache
def rendered() -> frozenset[str]:
    """The hashes of all files that this repository had in its template and its examples."""
    try:
        listed = text(ROOT, "rev-list", "--objects", "--all", "--", "template", "examples")
    except GitError:  # a copy without git
        return frozenset()
    return frozenset(line.split(" ")[0] for line in listed.splitlines())


def _can_be_shared(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder in SPECS:
        return name.endswith(YAML)
    if path.startswith("src/"):
        return name.endswith(".py") and folder != "src" and name not in RENDERED
    return path.startswith("data/raw/")


def _is_managed(snapshot: Snapshot, path: str) -> bool:
    is_spec = path.rpartition("/")[0] in SPECS
    return is_spec and (snapshot.text(path) or "").startswith(MANAGED)


def _model(snapshot: Snapshot, name: str | None) -> Iterator[Asset]:
    if name is None:
        return
    registries = [(snapshot.mapping(path) or {}).get("registry") for path in ENVIRONMENTS]
    registry = next((each for each in reversed(registries) if isinstance(each, str)), None)
    users: list[str] = []
    if (content := snapshot.mapping(CONSUMERS)) is not None:
        consumers = content.get("consumers")
        if isinstance(consumers, dict):
            users = [str(each) for each in consumers if each != EXAMPLE]
        else:
            snapshot.fail(CONSUMERS, "consumers", "names with what each reads")
    yield Asset("models", name, registry or "own", tuple(users))


def _specs(snapshot: Snapshot) -> Iterator[Asset]:
    """Components and environments by name, and all that comes from a registry."""
    for path in _yaml_of_azure(snapshot):
        content = snapshot.text(path) or ""
        for registry, kind, name in SHARED.findall(content):
            yield Asset(kind, name, registry)
        folder, _, file = path.rpartition("/")
        if (kind := SPECS.get(folder)) is None:
            continue
        if content.startswith(MANAGED):  # its name has the project's in it
            yield Asset(kind, file.rpartition(".")[0], "template")
        elif (own := snapshot.mapping(path)) is not None:
            if isinstance(own.get("name"), str):
                yield Asset(kind, own["name"], "own")
            else:
                snapshot.fail(path, "name", "a word")


def _packages(snapshot: Snapshot) -> Iterator[Asset]:
    """What the team added: the group `team`, and dependencies beside the platform package."""
    for requirement in _requirements(snapshot):
        try:
            name = canonicalize_name(Requirement(requirement).name)
        except InvalidRequirement:
            snapshot.fail(PYPROJECT, "dependencies", f"a requirement, got {requirement!r}")
            continue
        if name != PLATFORM:
            yield Asset("packages", name, "own")


def package(snapshot: Snapshot) -> str | None:
    """The version of the platform package that pyproject.toml pins."""
    for requirement in _requirements(snapshot, quiet=True):
        try:
            parsed = Requirement(requirement)
        except InvalidRequirement:
            continue
        if canonicalize_name(parsed.name) == PLATFORM:
            pins = [each.version for each in parsed.specifier if each.operator == "=="]
            return pins[0] if len(pins) == 1 else None
    return None


def _requirements(snapshot: Snapshot, *, quiet: bool = False) -> list[str]:
    content = snapshot.toml(PYPROJECT)
    if content is None:
        return []
    project, groups = content.get("project", {}), content.get("dependency-groups", {})
    lists = (
        project.get("dependencies", []) if isinstance(project, dict) else None,
        groups.get("team", []) if isinstance(groups, dict) else None,
    )
    if not all(isinstance(each, list) for each in lists):
        if not quiet:
            snapshot.fail(PYPROJECT, "dependencies", "a list")
        return []
    return [each for part in lists if part for each in part if isinstance(each, str)]


def _data(snapshot: Snapshot) -> Iterator[Asset]:
    """Where the raw data lies in Azure."""
    for path in ENVIRONMENTS:
        data = (snapshot.mapping(path) or {}).get("data")
        place = data.get("path") if isinstance(data, dict) else None
        if isinstance(place, str):
            yield Asset("data", place, "datastore")


def _existing(snapshot: Snapshot) -> Iterator[Asset]:
    """What was looked at and is used."""
    content = snapshot.mapping(REUSE)
    if content is None:
        return
    looked = content.get("looked_at", [])
    if not isinstance(looked, list) or not all(isinstance(each, dict) for each in looked):
        snapshot.fail(REUSE, "looked_at", "a list of `kind`, `what`, `used`")
        return
    for each in looked:
        if each.get("used") is True and each.get("what"):
            yield Asset("existing work", str(each["what"]), str(each.get("kind", REUSE)))
