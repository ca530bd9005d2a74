"""Patched packages and template updates: neither is in the other's way."""

import subprocess
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import copier
import pytest
from mlops_platform import cli
from mlops_platform.template import patches
from mlops_platform.template.patches import Patch

from tests.rendering import commit_all, copy_template

pytestmark = pytest.mark.usefixtures("copier_at_once")
DAY, NEXT = "2026-11-20T00:00:00Z", "2026-12-20T00:00:00Z"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of v2.0.0 with two patches; v3.0.0 moves the date past one of them."""
    template, project = copy_template(tmp_path / "template", small=True), tmp_path / "project"
    settings = template / "template" / "pyproject.toml.jinja"
    for tag, day in (("v2.0.0", DAY), ("v3.0.0", NEXT)):
        assert settings.read_text().count(DAY) == 1
        settings.write_text(settings.read_text().replace(DAY, day))
        commit_all(template, tag)
        subprocess.run(["git", "tag", tag], cwd=template, check=True)
    answers = {"project_name": "Credit Risk"}
    copier.run_copy(
        str(template), project, data=answers, vcs_ref="v2.0.0", defaults=True, quiet=True
    )
    patches.save(project, [patch("early", 25, 11), patch("late", 25, 12)])
    patches.follow(project)
    commit_all(project, "Two security fixes")
    monkeypatch.chdir(project)
    return project


def patch(package: str, day: int, month: int) -> Patch:
    uploaded = datetime(2026, month, day, tzinfo=UTC)
    last = date(2027, 3, 1)
    return Patch(
        package=package, version="1.1", uploaded=uploaded, reason="an advisory", until=last
    )


def table(project: Path) -> dict[str, object]:
    text = (project / "pyproject.toml").read_text()
    return tomllib.loads(text)["tool"]["uv"].get("exclude-newer-package", {})


def test_an_update_removes_what_it_brings_and_keeps_the_rest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(table(project)) == {"early", "late"}
    cli.invoke(["template-update"])  # a conflict would fail
    assert "conf/patches.yml: removed early, the new date has it" in capsys.readouterr().err
    assert table(project) == {"late": "2026-12-25T00:00:00Z"}
    assert [each.package for each in patches.load(project / "conf").patches] == ["late"]
    assert patches.find_problems(project) == []


def test_the_source_of_the_platform_package_changes_beside_patches(project: Path) -> None:
    cli.invoke(["template-update", "--data", "package_source=feed", "--to", "v2.0.0"])
    assert set(table(project)) == {"early", "late", "mlops-platform"}
    commit_all(project, "From our feed")
    cli.invoke(["template-update", "--data", "package_source=vendor", "--to", "v2.0.0"])
    assert set(table(project)) == {"early", "late"}
