"""Copy and update run nothing of ours and touch nothing of the team's, without `--trust`.

Two releases are made of the working tree in a scratch repository, so that Copier finds tags.
"""

from pathlib import Path

import copier
import pytest
import yaml

from tests.conftest import Project
from tests.rendering import ROOT, commit_all, copy_template

SEEDS = [
    "notebooks/README.md",
    "data/raw/credit.csv",
    "src/credit_risk/model.py",
    "tests/test_data.py",
]
SOURCES = {  # where the template holds them
    "poe_tasks.toml": "poe_tasks.toml.jinja",
    "data/raw/credit.csv": "data/raw/[% if classification %]credit.csv[% endif %]",
    "src/credit_risk/model.py": "src/[[package_name]]/model.py.jinja",
}


class Releases:
    """A template repository with the tags v2.0.0 (the working tree) and, later, v3.0.0."""

    def __init__(self, path: Path) -> None:
        self.path = copy_template(path)
        self.release("v2.0.0")

    def source(self, file: str) -> Path:
        """The template's file behind a project's file."""
        found = self.path / "template" / SOURCES.get(file, file)
        if not found.exists():
            found = found.with_name(found.name.removesuffix(".jinja"))
        return found

    def append(self, file: str, text: str) -> None:
        """Change the template's file behind a project's file."""
        source = self.source(file)
        source.write_text(source.read_text(encoding="utf-8") + text, encoding="utf-8")

    def configure(self, old: str, new: str) -> None:
        """Change copier.yml."""
        settings = self.path / "copier.yml"
        text = settings.read_text(encoding="utf-8")
        assert text.count(old) == 1
        settings.write_text(text.replace(old, new), encoding="utf-8")

    def release(self, tag: str) -> None:
        """Commit and tag."""
        commit_all(self.path, tag)
        Project(self.path).run("git", "tag", tag)

    def start(self, path: Path) -> Project:
        """A project of the first release, committed."""
        copier.run_copy(
            str(self.path),
            path,
            data={"project_name": "Credit Risk"},
            vcs_ref="v2.0.0",
            defaults=True,
            unsafe=False,
            quiet=True,
        )
        commit_all(path, "Start")
        return Project(path)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """A template repository of the test's own."""
    return Releases(tmp_path / "copier-mlops")


def update(project: Project, **data: str) -> None:
    """Commit, update without trust, and see that nothing conflicts."""
    commit_all(project.path, "Work")
    copier.run_update(
        project.path, data=data, defaults=True, overwrite=True, unsafe=False, quiet=True
    )
    assert project.run("git", "diff", "--name-only", "--diff-filter=U").stdout == ""


def test_nothing_asks_for_trust() -> None:
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert not {"_tasks", "_jinja_extensions"} & set(settings)
    # An update from 0.x crosses these two, and asks; a copy and all other updates do not.
    assert [each["version"] for each in settings["_migrations"]] == ["2.0.0", "1.0.0", "2.0.0"]


def test_copier_would_refuse_a_task(releases: Releases, tmp_path: Path) -> None:
    """The planted fault: that `unsafe=False` guards the other tests here."""
    releases.configure("_subdirectory: template\n", '_subdirectory: template\n_tasks: ["true"]\n')
    releases.release("v2.0.1")
    with pytest.raises(copier.errors.UnsafeTemplateError):
        copier.run_copy(
            str(releases.path),
            tmp_path / "p",
            data={"project_name": "abc"},
            defaults=True,
            quiet=True,
        )


def test_an_update_brings_changes_of_the_template(releases: Releases, tmp_path: Path) -> None:
    project = releases.start(tmp_path / "project")
    docs = releases.path / "template" / "docs"
    (docs / "gates.md").write_text("Changed.\n")
    (docs / "new.md").write_text("New.\n")
    [wheel] = (releases.path / "template" / "[% if vendored %]vendor[% endif %]").iterdir()
    wheel.with_name("mlops_platform-3.0.0-py3-none-any.whl").write_bytes(b"P\0K\r\n")
    wheel.unlink()
    releases.release("v3.0.0")
    update(project)
    assert project.read("docs/gates.md") == "Changed.\n"
    assert project.has("docs/new.md")
    [wheel] = (project.path / "vendor").iterdir()
    assert wheel.name == "mlops_platform-3.0.0-py3-none-any.whl"
    assert wheel.read_bytes() == b"P\0K\r\n"
    assert project.yaml(".copier-answers.yml")["_commit"] == "v3.0.0"


def test_seeds_are_the_teams_from_the_first_day(releases: Releases, tmp_path: Path) -> None:
    """Edited, deleted or left alone: an update changes no seed, though the template does."""
    for change in ("edited", "deleted", "left alone"):
        project = releases.start(tmp_path / change.replace(" ", "-"))
        for seed in SEEDS:
            if change == "edited":
                project.write(seed, "# the team's\n")
            elif change == "deleted":
                (project.path / seed).unlink()
        if change == "edited":
            for seed in SEEDS:
                releases.append(seed, "\n# changed\n")
            releases.release("v3.0.0")
        before = {seed: project.read(seed) if project.has(seed) else None for seed in SEEDS}
        update(project)
        assert project.yaml(".copier-answers.yml")["_commit"] == "v3.0.0"
        after = {seed: project.read(seed) if project.has(seed) else None for seed in SEEDS}
        assert after == before, change


def test_of_new_seeds_only_needed_ones_appear_in_old_projects(
    releases: Releases, tmp_path: Path
) -> None:
    project = releases.start(tmp_path / "project")
    for name in ("conf/new.yml", "tests/test_new.py", "src/[[package_name]]/new.py"):
        (releases.path / "template" / name).write_text("")
    releases.release("v3.0.0")
    update(project)
    assert project.has("conf/new.yml")
    assert not project.has("tests/test_new.py")
    assert not project.has("src/credit_risk/new.py")


def test_settings_stay_as_they_are_and_come_back_where_they_are_missing(
    releases: Releases, tmp_path: Path
) -> None:
    project = releases.start(tmp_path / "project")
    project.write("conf/train.yml", "# the team's\n")
    (project.path / "conf/gates.yml").unlink()
    for name in ("conf/train.yml.jinja", "conf/gates.yml.jinja"):
        releases.append(name, "# changed\n")
    releases.release("v3.0.0")
    update(project)
    assert project.read("conf/train.yml") == "# the team's\n"
    assert project.read("conf/gates.yml").endswith("# changed\n")


@pytest.mark.parametrize("how", ["another formula", "another answer"])
def test_the_packages_name_is_locked(releases: Releases, tmp_path: Path, how: str) -> None:
    project = releases.start(tmp_path / "project")
    if how == "another formula":
        releases.configure("[[ project_slug | replace('-', '_') ]]", "ml_[[ project_slug ]]")
        releases.configure("[[ project_name | lower | replace(' ', '-')", "[[ 'x' ~ project_name")
    releases.append("poe_tasks.toml", "\n# changed\n")
    releases.release("v3.0.0")
    update(project, **({"project_name": "Other"} if how == "another answer" else {}))
    answers = project.yaml(".copier-answers.yml")
    assert answers["package_name"] == "credit_risk"
    assert answers["project_slug"] == "credit-risk"
    assert "# changed" in project.read("poe_tasks.toml")
    assert [path.name for path in (project.path / "src").iterdir() if path.is_dir()] == [
        "credit_risk"
    ]


def test_another_ci_moves_its_files(releases: Releases, tmp_path: Path) -> None:
    project = releases.start(tmp_path / "project")
    assert project.has(".github/workflows/ci.yml")
    releases.append("poe_tasks.toml", "\n# changed\n")
    releases.release("v3.0.0")
    update(project, ci="azure-devops")
    assert project.has(".azuredevops/ci.yml")
    assert not project.has(".github/workflows/ci.yml")
