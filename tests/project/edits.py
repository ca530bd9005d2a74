"""What a team changes in conf/, as the tests of the workflows need it."""

import yaml

from tests.conftest import Project
from tests.rendering import commit_all

# Two thirds of the time of `poe ethics`, which the other tests of the workflows run whole.
SLOW = {"proxies", "secrets", "vulnerabilities", "other-seeds", "stable-explanations"}


def parameters(project: Project, **changes: float) -> None:
    """Commit other parameters of the model."""
    content = project.yaml("conf/train.yml")
    content["parameters"] |= changes
    project.write("conf/train.yml", yaml.safe_dump(content))
    commit_all(project.path, "Other parameters")


def stage(project: Project, name: str) -> None:
    """Move the project on; no commit."""
    content = project.read("conf/project.yml")
    assert "stage: explore" in content
    project.write("conf/project.yml", content.replace("stage: explore", f"stage: {name}"))


def limits(project: Project, **least: float) -> None:
    """Ask for other values of metrics; no commit."""
    gates = project.yaml("conf/gates.yml")
    for limit in gates["quality"]:
        if limit["metric"] in least:
            limit["min"] = least[limit["metric"]]
    project.write("conf/gates.yml", yaml.safe_dump(gates))


def quick_ethics(project: Project) -> None:
    """Leave out checks that take long; no commit."""
    page = project.yaml("conf/ethics.yml")
    for principle in page["principles"].values():
        principle["checks"] = [
            check
            for check in principle["checks"]
            if check["kind"] != "test" and check["id"] not in SLOW
        ]
    project.write("conf/ethics.yml", yaml.safe_dump(page))
