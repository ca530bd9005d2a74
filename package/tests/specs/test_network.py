"""Production without public addresses: what conf/prod.yml decides is checked with the specs."""

import re
from pathlib import Path

import pytest
from mlops_platform.schemas.nodes import Problem
from mlops_platform.specs import check


def found(root: Path, settings: str, network: str) -> list[Problem]:
    """The problems of a project with another decision in its settings."""
    path = Path("conf") / settings
    text = path.read_text(encoding="utf-8")
    changed, times = re.subn(r"(?m)^network:.*\n", network, text)
    assert times == 1
    if not network:  # `infra` needs it
        changed = re.sub(r"(?m)^infra:.*\n", "", changed)
    path.write_text(changed, encoding="utf-8")
    try:
        return check.lint(check.find([], root), root)[1]
    finally:
        path.write_text(text, encoding="utf-8")


def test_public_addresses_in_production_without_a_name_break_a_house_rule(project: Path) -> None:
    [problem] = found(project, "prod.yml", "network: {public: true}\n")
    assert (problem.file, problem.field) == (Path("conf/prod.yml"), "network.public")
    assert problem.house
    line = Path("conf/prod.yml").read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert line.startswith("network:")


@pytest.mark.parametrize(
    ("settings", "network"),
    [
        ("prod.yml", "network: {public: true, decided_by: Ana}\n"),
        ("prod.yml", ""),  # a project from before the setting: it decides when it wants to
        ("dev.yml", "network: {public: true}\n"),
        ("staging.yml", "network: {public: true}\n"),
    ],
)
def test_what_is_decided_passes(project: Path, settings: str, network: str) -> None:
    assert found(project, settings, network) == []
