"""A release that renames files keeps the team's edits; nothing happens without trust."""

import itertools
import subprocess
import sys
from pathlib import Path

import copier
import pytest

from tests.projects import Project
from tests.rendering import commit_all
from tests.update.merging import ANSWERS, files
from tests.update.modifications import append, replace
from tests.update.releases import DEFAULTS, OTHERS, Template, git

RENAMES = {"docs/gates.md": "docs/limits.md", ".pre-commit-config.yaml": ".config/pre-commit.yaml"}
MOVE = Path("hooks") / "migrations" / "move.py"


@pytest.fixture(scope="module")
def renaming(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The work tree as v2.0.0; v3.0.0 changes files; v4.0.0 renames two files by a migration."""
    made = Template(
        tmp_path_factory.mktemp("renaming") / "copier-mlops", template.renders.parent / "r"
    )
    made.copy_release(template.path, template.current, "v2.0.0")
    made.add_changes(1)
    made.release("v3.0.0")
    for old, new in RENAMES.items():
        target = made.path / "template" / new
        target.parent.mkdir(exist_ok=True)
        (made.path / "template" / old).rename(target)
    made.add_changes(2)
    arguments = itertools.chain(*RENAMES.items())
    settings = made.path / "copier.yml"
    with settings.open("a", encoding="utf-8") as file:
        file.write(
            '\n_migrations:\n  - version: 4.0.0\n    command: ["[[ _copier_python ]]", '
            f'"[[ _copier_conf.src_path ]]/{MOVE.as_posix()}", {", ".join(arguments)}]\n'
        )
    made.release("v4.0.0")
    made.add_changes(3)
    made.release("v5.0.0")
    return made


@pytest.fixture
def project(renaming: Template, tmp_path: Path) -> Project:
    """A project of v2.0.0."""
    return renaming.start("v2.0.0", DEFAULTS, tmp_path / "project")


def conflicts(project: Project) -> list[str]:
    """Files with conflicts, according to git."""
    return git(project.path, "diff", "--name-only", "--diff-filter=U").split()


@pytest.mark.parametrize("release", ["v4.0.0", "v5.0.0"])
def test_edits_move_with_the_file(renaming: Template, project: Project, release: str) -> None:
    append(project, "docs/gates.md", "\nOurs.\n")
    append(project, ".pre-commit-config.yaml", "# ours\n")
    commit_all(project.path, "Work")
    renaming.update(project, release, unsafe=True)
    assert conflicts(project) == []
    fresh = files(renaming.pristine(release, DEFAULTS))
    for (old, new), ours in zip(RENAMES.items(), ("\nOurs.\n", "# ours\n"), strict=True):
        assert not project.has(old)
        assert project.read(new) == fresh[new].decode() + ours
    assert project.read(ANSWERS) == fresh[ANSWERS].decode()


def test_without_edits_the_update_equals_a_fresh_copy(renaming: Template, project: Project) -> None:
    renaming.update(project, "v4.0.0", unsafe=True)
    mine, fresh = files(project.path), files(renaming.pristine("v4.0.0", DEFAULTS))
    for name in (*RENAMES.values(), "poe_tasks.toml", ANSWERS):
        assert mine[name] == fresh[name]
    assert not set(RENAMES) & set(mine)


def test_the_same_line_on_both_sides_is_a_conflict(renaming: Template, project: Project) -> None:
    first, rest = project.read("docs/gates.md").split("\n", 1)
    project.write("docs/gates.md", f"{first}\nOurs.\n{rest}")
    commit_all(project.path, "Work")
    renaming.update(project, "v4.0.0", unsafe=True)
    assert conflicts(project) == ["docs/limits.md"]
    text = project.read("docs/limits.md")
    assert text.count("<<<<<<< before updating") == 1
    assert "Ours." in text
    assert "Change 1" in text
    git(project.path, "checkout", "--ours", "docs/limits.md")
    assert project.read("docs/limits.md") == f"{first}\nOurs.\n{rest}"


def test_a_deleted_file_stays_deleted(renaming: Template, project: Project) -> None:
    (project.path / "docs" / "gates.md").unlink()
    commit_all(project.path, "Work")
    renaming.update(project, "v4.0.0", unsafe=True)
    assert not project.has("docs/gates.md")
    assert not project.has("docs/limits.md")


def test_a_file_that_the_team_moved_there_itself_is_kept(
    renaming: Template, project: Project
) -> None:
    """The manual steps, before the update."""
    append(project, "docs/gates.md", "\nOurs.\n")
    git(project.path, "mv", "docs/gates.md", "docs/limits.md")
    commit_all(project.path, "Work")
    renaming.update(project, "v4.0.0", unsafe=True)
    assert "Ours." in project.read("docs/limits.md")
    assert not project.has("docs/gates.md")


def test_a_second_run_changes_nothing(renaming: Template, project: Project) -> None:
    append(project, "docs/gates.md", "\nOurs.\n")
    commit_all(project.path, "Work")
    renaming.update(project, "v4.0.0", unsafe=True)
    migration = [sys.executable, str(renaming.path / MOVE), *itertools.chain(*RENAMES.items())]
    before = files(project.path), git(project.path, "status", "--porcelain")
    project.run(*migration)
    assert (files(project.path), git(project.path, "status", "--porcelain")) == before
    commit_all(project.path, "Update")
    project.run(*migration)
    renaming.update(project, "v4.0.0")
    assert git(project.path, "status", "--porcelain") == ""


def test_without_trust_nothing_is_changed(renaming: Template, project: Project) -> None:
    before = files(project.path)
    with pytest.raises(copier.errors.UnsafeTemplateError, match="migrations"):
        renaming.update(project, "v4.0.0")
    assert files(project.path) == before
    assert git(project.path, "status", "--porcelain") == ""


@pytest.mark.parametrize(("old", "new"), [("v2.0.0", "v3.0.0"), ("v4.0.0", "v5.0.0")])
def test_only_an_update_across_the_migration_asks_for_trust(
    renaming: Template, tmp_path: Path, old: str, new: str
) -> None:
    project = renaming.start(old, DEFAULTS, tmp_path / "project")
    renaming.update(project, new)
    assert project.yaml(ANSWERS)["_commit"] == new


def test_edits_are_lost_without_a_migration(
    renaming: Template, project: Project, tmp_path: Path
) -> None:
    """The planted error: what Copier alone does with a renamed file."""
    bare = Template(tmp_path / "bare", tmp_path)
    bare.copy_release(renaming.path, "v2.0.0", "v2.0.0")
    bare.copy_release(renaming.path, "v4.0.0", None)
    settings = bare.path / "copier.yml"
    settings.write_text(settings.read_text().rsplit("\n_migrations:", 1)[0])
    bare.release("v4.0.0")
    replace(project, ANSWERS, str(renaming.path), str(bare.path))
    append(project, "docs/gates.md", "\nOurs.\n")
    commit_all(project.path, "Work")
    bare.update(project, "v4.0.0")
    assert not any(b"Ours." in content for content in files(project.path).values())


@pytest.mark.parametrize("excluded", [True, False])
def test_a_removed_file_stays_where_it_is(
    template: Template, tmp_path: Path, excluded: bool
) -> None:
    """And the planted error: without the exclusion an edited file is deleted without a conflict."""
    made = Template(tmp_path / "copier-mlops", tmp_path / "renders")
    made.copy_release(template.path, template.current, "v2.0.0")
    (made.path / "template" / "docs" / "gates.md").unlink()
    if excluded:
        settings = made.path / "copier.yml"
        kept = "[% if _copier_operation == 'update' %]/docs/gates.md[% endif %]"
        text = settings.read_text().replace("_exclude:\n", f'_exclude:\n  - "{kept}"\n')
        settings.write_text(text)
    made.release("v3.0.0")
    project = made.start("v2.0.0", DEFAULTS, tmp_path / "project")
    append(project, "docs/gates.md", "\nOurs.\n")
    commit_all(project.path, "Work")
    made.update(project, "v3.0.0")
    assert conflicts(project) == []
    assert project.has("docs/gates.md") == excluded
    if excluded:
        assert project.read("docs/gates.md").endswith("\nOurs.\n")
    assert not (made.pristine("v3.0.0", DEFAULTS) / "docs" / "gates.md").exists()


@pytest.mark.parametrize("migrated", [True, False])
def test_a_choice_is_renamed(template: Template, tmp_path: Path, migrated: bool) -> None:
    """And the planted error: without a migration the project silently gets the default."""
    made = Template(tmp_path / "copier-mlops", tmp_path / "renders")
    made.copy_release(template.path, template.current, "v2.0.0")
    settings = made.path / "copier.yml"
    text = settings.read_text().replace("azure-devops", "azure-pipelines")
    if migrated:
        text += (
            "\n_migrations:\n  - version: 3.0.0\n    when: \"[[ _stage == 'before' ]]\"\n"
            '    command: ["[[ _copier_python ]]", "[[ _copier_conf.src_path ]]/hooks/migrations/'
            'answer.py", ci, azure-devops, azure-pipelines]\n'
        )
    settings.write_text(text)
    made.release("v3.0.0")
    project = made.start("v2.0.0", OTHERS, tmp_path / "project")
    made.update(project, "v3.0.0", unsafe=True)
    assert project.yaml(ANSWERS)["ci"] == ("azure-pipelines" if migrated else "github")
    assert project.has(".azuredevops/ci.yml") == migrated


def test_a_missing_release_gives_one_message(project: Project) -> None:
    replace(project, ANSWERS, "_commit: v2.0.0", "_commit: v0.0.9")
    commit_all(project.path, "Work")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parents[2] / MOVE), "a", "b"],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "by hand" in done.stderr
    assert "Traceback" not in done.stderr
