"""`template-update`: what `copier update` leaves unsaid is said, and edited files stay."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import copier
import pytest
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.template import update
from mlops_platform.template.scratch import Scratch

from tests.rendering import commit_all, copy_template

pytestmark = pytest.mark.usefixtures("copier_at_once")
OLD, NEW = "v2.0.0", "v3.0.0"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_template(tmp_path_factory.mktemp("update") / "template", small=True)
    tasks = folder / "template" / "poe_tasks.toml.jinja"
    for tag, help_text in ((OLD, "of the first release"), (NEW, "of the second release")):
        tasks.write_text(f"# Tasks {help_text}\n" + tasks.read_text().partition("\n")[2])
        commit_all(folder, tag)
        subprocess.run(["git", "tag", tag], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    answers = {"project_name": "Credit Risk"}
    copier.run_copy(str(template), folder, data=answers, vcs_ref=OLD, defaults=True, quiet=True)
    commit_all(folder, "Start")
    return folder


def git(project: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout


def status(project: Path) -> str:
    return git(project, "status", "--porcelain")


def edit(project: Path, name: str, text: str) -> None:
    (project / name).write_text(text)
    commit_all(project, f"Edit {name}")


def test_the_news_arrive(project: Path) -> None:
    done = update.update(project, [])
    assert (done.before, done.after, done.changed) == (OLD, NEW, 2)
    assert done.conflicts == done.kept == done.deleted == done.answers == []
    assert "of the second release" in (project / "poe_tasks.toml").read_text()
    commit_all(project, "Update")
    again = update.update(project, [])
    assert (again.before, again.after, again.changed) == (NEW, NEW, 0)


def test_conflicts_are_named_and_fail(project: Path) -> None:
    edit(project, "poe_tasks.toml", "# ours\n" + (project / "poe_tasks.toml").read_text())
    done = update.update(project, [])
    assert done.conflicts == ["poe_tasks.toml"]
    with pytest.raises(GateError, match=r"1 file with conflicts: poe_tasks\.toml"):
        update.raise_for_conflicts(done)


def test_a_switched_off_file_stays_where_the_team_edited_it(project: Path) -> None:
    ours = (project / ".github/workflows/ci.yml").read_text() + "# ours\n"
    edit(project, ".github/workflows/ci.yml", ours)
    done = update.update(project, ["ci=azure-devops"], OLD)
    assert done.kept == [".github/workflows/ci.yml"]
    assert ".github/CODEOWNERS" in done.deleted
    assert (project / ".github/workflows/ci.yml").read_text() == ours
    assert (project / ".azuredevops/ci.yml").is_file()
    assert not (project / ".github/CODEOWNERS").exists()
    assert done.answers == []


def test_an_answer_that_fell_back_to_its_default_is_told(project: Path, template: Path) -> None:
    settings = template / "copier.yml"
    was = settings.read_text()
    edit(project, ".copier-answers.yml", answers_with(project, "serving: both", "serving: batch"))
    settings.write_text(was.replace('scored on a schedule": batch', 'scored on a schedule": bulk'))
    commit_all(template, "A choice less")
    subprocess.run(["git", "tag", "v4.0.0"], cwd=template, check=True)
    try:
        done = update.update(project, [], "v4.0.0")
        git(project, "reset", "--quiet", "--hard")
        given = update.update(project, ["serving=both"], "v4.0.0")
    finally:
        subprocess.run(["git", "tag", "-d", "v4.0.0"], cwd=template, check=True)
        settings.write_text(was)
        commit_all(template, "As before")
    assert done.answers == ["serving: 'batch' became 'both'"]
    assert (given.answers, given.own) == ([], None)
    assert any(line.startswith("not changed: some files") for line in update.describe(given))


def answers_with(project: Path, old: str, new: str) -> str:
    return (project / ".copier-answers.yml").read_text().replace(old, new)


def test_uncommitted_work_is_not_touched(project: Path) -> None:
    (project / "README.md").write_text("half a sentence")
    with pytest.raises(UsageError, match="uncommitted work"):
        update.update(project, [])
    assert status(project) == " M README.md\n"


def test_new_files_that_a_users_git_does_not_show_are_not_touched(project: Path) -> None:
    git(project, "config", "status.showUntrackedFiles", "no")
    (project / "notes").mkdir()
    (project / "notes" / "analysis.md").write_text("a week of work")
    with pytest.raises(UsageError, match="uncommitted work"):
        update.update(project, [], "v9.9.9")
    assert (project / "notes" / "analysis.md").read_text() == "a week of work"


@pytest.mark.parametrize("mark", ["assume-unchanged", "skip-worktree"])
def test_edits_that_git_is_told_not_to_see_are_not_touched(project: Path, mark: str) -> None:
    git(project, "update-index", f"--{mark}", "poe_tasks.toml")
    (project / "poe_tasks.toml").write_text("# ours\n")
    with pytest.raises(UsageError, match=r"poe_tasks\.toml: git ignores changes of it"):
        update.update(project, [])
    assert (project / "poe_tasks.toml").read_text() == "# ours\n"


def test_conflicts_of_the_last_update_are_named(project: Path) -> None:
    edit(project, "poe_tasks.toml", "# ours\n" + (project / "poe_tasks.toml").read_text())
    update.update(project, [])
    with pytest.raises(UsageError, match=r"conflicts .* are open in poe_tasks\.toml"):
        update.update(project, [])


def test_a_template_that_moved_is_found_as_the_message_says(
    project: Path, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = "https://git.invalid/ml/standard.git"
    edit(project, ".copier-answers.yml", answers_with(project, str(template), old))
    with pytest.raises(UsageError, match=r"`git config --global url\.NEW\.insteadOf OLD`"):
        update.update(project, [])
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    git(project, "config", "--global", f"url.{template}.insteadOf", old)
    assert update.update(project, []).after == NEW
    assert old in (project / ".copier-answers.yml").read_text()


def test_a_folder_that_git_does_not_know_is_named(project: Path) -> None:
    shutil.rmtree(project / ".git")
    with pytest.raises(UsageError, match="Run `git init`, commit the project as it is"):
        update.update(project, [])


def test_a_release_that_does_not_exist_leaves_all_as_it_was(project: Path) -> None:
    with pytest.raises(UsageError, match="nothing was changed"):
        update.update(project, [], "v9.9.9")
    assert status(project) == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("task=regression", "your data, model and tests depend on it"),
        ("package_name=other", "your own modules import it"),
        ("project_name=Other", "files of your own contain it"),
        ("regulated=true", "only sets the first value .* conf/project.yml: change it there"),
        ("serving", "write NAME=VALUE"),
        ("vendored=false", "is computed from other answers and cannot be given"),
        (
            "nonsense=1",
            "v3.0.0 has no such question, nothing was changed. Its questions: .*serving",
        ),
    ],
)
def test_an_answer_that_cannot_be_changed(project: Path, given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        update.update(project, [given])
    assert status(project) == ""
    assert "# Tasks of the first release" in (project / "poe_tasks.toml").read_text()


def test_an_answer_given_as_it_is_changes_nothing(project: Path) -> None:
    done = update.update(project, ["task=classification", "regulated=False"])
    assert (done.after, done.conflicts) == (NEW, [])


def test_what_a_command_wrote_goes_with_its_answer(project: Path) -> None:
    edit(project, "azureml/jobs/sweep.yml", "# Generated again from other columns\n")
    done = update.update(project, ["cloud=none"])
    assert done.kept == []
    assert not (project / "azureml").exists()


def test_a_bad_answer_ends_in_the_questions_own_words(project: Path) -> None:
    with pytest.raises(UsageError, match="user_email") as refused:
        update.update(project, ["user_email=nobody"])
    assert "Traceback" not in str(refused.value)
    assert status(project) == ""


def test_a_release_that_needs_trust_is_told(project: Path, template: Path, tmp_path: Path) -> None:
    fork = tmp_path / "template"
    shutil.copytree(template, fork)
    with (fork / "copier.yml").open("a") as settings:
        settings.write('_migrations: [{version: 4.0.0, command: "true"}]\n')
    commit_all(fork, "v4.0.0")
    git(fork, "tag", "v4.0.0")
    answers = project / ".copier-answers.yml"
    edit(project, answers.name, answers.read_text().replace(str(template), str(fork)))
    with pytest.raises(UsageError, match="needs your trust") as error:
        update.update(project, [])
    assert "`uv run poe template-update --trust`" in str(error.value)
    assert status(project) == ""
    assert update.update(project, [], trust=True).after == "v4.0.0"


def ignore(project: Path, *lines: str) -> None:
    with (project / ".gitignore").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))
    commit_all(project, "Ignore")


@pytest.mark.parametrize(
    ("ours", "named"),
    [
        ("docs/new.md", "docs/new.md"),
        (".azuredevops", ".azuredevops"),  # a file where the template needs a folder
        (".azuredevops/ci.yml/notes", ".azuredevops/ci.yml"),
    ],
)
def test_a_file_that_git_ignores_is_not_written_over(
    project: Path, template: Path, ours: str, named: str
) -> None:
    page = template / "template" / "docs" / "new.md"
    page.write_text("The template's\n")
    commit_all(template, "A page")
    subprocess.run(["git", "tag", "v4.0.0"], cwd=template, check=True)
    ignore(project, f"/{ours.partition('/')[0]}", "/docs/new.md")
    (project / ours).parent.mkdir(parents=True, exist_ok=True)
    (project / ours).write_text("a week of work")
    try:
        with pytest.raises(UsageError, match=f"^{named}: the template adds a file there") as error:
            update.update(project, ["ci=azure-devops"])
        assert f"git add --force {named}" in str(error.value)
        assert (project / ours).read_text() == "a week of work"
        assert status(project) == ""
        (project / ours).rename(project.parent / "moved-away")
        if (project / named).is_dir():
            (project / named).rmdir()
        done = update.update(project, ["ci=azure-devops"])
    finally:
        subprocess.run(["git", "tag", "-d", "v4.0.0"], cwd=template, check=True)
        page.unlink()
        commit_all(template, "As before")
    assert done.conflicts == []
    assert (project / "docs" / "new.md").read_text() == "The template's\n"
    assert (project / ".azuredevops" / "ci.yml").is_file()


def test_other_files_that_git_ignores_stay(project: Path) -> None:
    """Copier takes every `.rej` for one of its own, and deletes it."""
    ignore(project, "*.rej", "/data/large")
    for name in ("poe_tasks.toml.rej", "README.md.rej", "data/large"):
        (project / name).write_text("ours")
    assert update.update(project, []).conflicts == []
    for name in ("poe_tasks.toml.rej", "README.md.rej", "data/large"):
        assert (project / name).read_text() == "ours"


def test_a_folder_of_a_monorepo_is_updated_while_others_have_changes(project: Path) -> None:
    top = project.parent / "mono"
    top.mkdir()
    shutil.rmtree(project / ".git")
    folder = project.rename(top / "models")
    edit(folder, "poe_tasks.toml", "# ours\n" + (folder / "poe_tasks.toml").read_text())
    shutil.move(folder / ".git", top / ".git")
    for name in ("other.txt", "staged.txt", "poe_tasks.toml"):
        (top / name).write_text("committed")
    commit_all(top, "Start")
    for name in ("other.txt", "staged.txt", "poe_tasks.toml"):
        (top / name).write_text("half a sentence")
    git(top, "add", "staged.txt")
    (top / "new.rej").write_text("ours")
    done = update.update(folder, [])
    assert done.conflicts == ["poe_tasks.toml"]
    assert status(top).splitlines() == [
        " M models/.copier-answers.yml",
        "UU models/poe_tasks.toml",
        " M other.txt",
        " M poe_tasks.toml",
        "M  staged.txt",
        "?? new.rej",
    ]


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Scratch._copy

    def full(self: Scratch, path: str) -> None:
        if path == "poe_tasks.toml":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        real(self, path)

    monkeypatch.setattr(Scratch, "_copy", full)
    with pytest.raises(UsageError, match=r"poe_tasks\.toml: cannot be written \(No space"):
        update.update(project, ["ci=azure-devops"])
    assert status(project) == ""
    assert not (project / ".azuredevops").exists()


def test_a_template_beside_the_project_is_found_and_recorded_so_that_it_works(
    project: Path, template: Path
) -> None:
    near = os.path.relpath(template, project)
    edit(project, ".copier-answers.yml", answers_with(project, str(template), near))
    assert update.update(project, []).after == NEW
    assert f"_src_path: {template.resolve()}\n" in (project / ".copier-answers.yml").read_text()
    commit_all(project, "Update")
    edit(project, ".copier-answers.yml", answers_with(project, str(template), "../gone"))
    with pytest.raises(UsageError, match=r"'\.\./gone' is a path from another folder"):
        update.update(project, [])


def test_files_of_the_team_that_a_new_answer_would_change_are_named(project: Path) -> None:
    done = update.update(project, ["description=Predicts which loans default"])
    assert "conf/project.yml" in done.own
    assert "README.md" not in done.own
    assert "A machine learning project" in (project / "conf" / "project.yml").read_text()
    [line] = [line for line in update.describe(done) if "conf/project.yml" in line]
    assert line == "not changed: conf/project.yml; it is yours, and depends on your answer"
