"""Each problem that the release check finds, planted into a copy of the work tree.

The work tree is the last release, 1.0.0; a changed copy of it will be 9.0.0.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hooks.projects import HookError
from hooks.release import command
from hooks.release.answers import answer_problems
from hooks.release.files import file_problems
from hooks.release.history import Release
from hooks.release.questions import Questions
from hooks.release.repository import (
    changelog_problems,
    example_problems,
    ownership_problems,
    uncommitted_files,
    version_problems,
)
from tests.rendering import ROOT, commit_all, copy_template, render
from tests.update.releases import COMBINATIONS, Template, git

OWNERSHIP = Path("package", "src", "mlops_platform", "template")
LAST = [Release("1.0.0", "a" * 40)]
MIGRATION = """
_migrations:
  - version: 9.0.0
    command: ["[[ _copier_python ]]", "[[ _copier_conf.src_path ]]/hooks/migrations/move.py", {}]
"""
Change = Callable[[Path], None]


def copy_repository(folder: Path) -> Path:
    """Copy the files of this repository that the checks read."""
    copy_template(folder)
    (folder / OWNERSHIP).mkdir(parents=True)
    for name in ("ownership.py", "ownership.toml"):
        shutil.copy(ROOT / OWNERSHIP / name, folder / OWNERSHIP)
    for part in ("hooks", "tests/update"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text('[project]\nversion = "9.0.0"\n')
    (folder / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 9.0.0\n\nChanges.\n\n## 1.0.0\n\nOld.\n"
    )
    return folder


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Questions:
    """The last release."""
    return Questions(copy_repository(tmp_path_factory.mktemp("last") / "copier-mlops"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files of the new release, for a test to change."""
    return copy_repository(tmp_path / "copier-mlops")


def edit(root: Path, name: str, old: str, new: str) -> None:
    """Change one place in a file."""
    text = (root / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name}: {old!r} is there {text.count(old)} times"
    (root / name).write_text(text.replace(old, new), encoding="utf-8")


def append(root: Path, name: str, text: str) -> None:
    """Add to the end of a file."""
    (root / name).write_text((root / name).read_text(encoding="utf-8") + text, encoding="utf-8")


def test_without_problems_the_list_is_empty(last: Questions, tree: Path) -> None:
    new = Questions(tree)
    assert version_problems(tree, "9.0.0", LAST, new) == []
    assert changelog_problems(tree, "9.0.0", new) == []
    assert answer_problems(last, new, "9.0.0") == []
    assert file_problems(last, new, "9.0.0") == []
    assert ownership_problems(tree) == []


# ------------------------------------------------------------------ version, changelog and others


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("2.0", "write three numbers"),
        ("v9.0.0", "write three numbers"),
        ("1.0.0", "not above 1.0.0"),
        ("0.9.0", "not above 1.0.0"),
        ("2.0.1", r"pyproject.toml, `version`: is 9.0.0. Write 2.0.1"),
    ],
)
def test_a_bad_version(tree: Path, version: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert not version_problems(tree, version, LAST, Questions(tree))


@pytest.mark.parametrize(
    ("last_version", "version", "allowed"),
    [
        ("1.0.0", "9.0.0", True),
        ("1.9.0", "9.0.0", True),
        ("9.0.0", "2.1.0", False),
        ("0.1.0", "0.2.0", True),
        ("0.1.0", "0.1.1", False),
    ],
)
def test_only_a_major_version_may_ask_for_trust(
    tree: Path, last_version: str, version: str, allowed: bool
) -> None:
    append(tree, "copier.yml", MIGRATION.format("a, b").replace("9.0.0", version))
    released = [Release(last_version, "a" * 40)]
    found = " ".join(version_problems(tree, version, released, Questions(tree)))
    assert ("asks every project for trust" not in found) == allowed


def test_a_migration_of_a_later_version(tree: Path) -> None:
    append(tree, "copier.yml", MIGRATION.format("a, b").replace("9.0.0", "10.0.0"))
    (found,) = version_problems(tree, "9.0.0", LAST, Questions(tree))
    assert "10.0.0 is above 9.0.0" in found


@pytest.mark.parametrize("text", ["# Changelog\n", "## 9.0.0\n\n## 1.0.0\n\nOld.\n"])
def test_an_empty_changelog(tree: Path, text: str) -> None:
    (tree / "CHANGELOG.md").write_text(text)
    (found,) = changelog_problems(tree, "9.0.0", Questions(tree))
    assert "nothing under `## 9.0.0`" in found


def test_a_migration_without_manual_steps(tree: Path) -> None:
    append(tree, "copier.yml", MIGRATION.format("docs/gates.md, docs/limits.md"))
    (found,) = changelog_problems(tree, "9.0.0", Questions(tree))
    assert "no manual steps" in found
    edit(tree, "CHANGELOG.md", "Changes.", "By hand: `git mv docs/gates.md docs/limits.md`")
    assert changelog_problems(tree, "9.0.0", Questions(tree)) == []


def test_a_guard_has_no_manual_steps(tree: Path) -> None:
    append(tree, "copier.yml", MIGRATION.format("").replace("move.py", "guard.py"))
    assert changelog_problems(tree, "9.0.0", Questions(tree)) == []


def test_the_manual_steps_name_an_answer_as_a_reader_does(tree: Path) -> None:
    append(tree, "copier.yml", MIGRATION.format('docs/gates.md, "src/[[ package_name ]]/gates.md"'))
    steps = "By hand: `git mv docs/gates.md src/<package_name>/limits.md`"
    edit(tree, "CHANGELOG.md", "Changes.", steps)
    (found,) = changelog_problems(tree, "9.0.0", Questions(tree))
    assert "src/<package_name>/gates.md has no manual steps" in found
    edit(tree, "CHANGELOG.md", "limits.md", "gates.md")
    assert changelog_problems(tree, "9.0.0", Questions(tree)) == []


def test_a_migration_without_its_script(tree: Path) -> None:
    append(tree, "copier.yml", MIGRATION.format("a, b"))
    edit(tree, "CHANGELOG.md", "Changes.", "By hand: a b")
    (tree / "hooks" / "migrations" / "move.py").unlink()
    (found,) = changelog_problems(tree, "9.0.0", Questions(tree))
    assert "is not a file in hooks/migrations/" in found


def test_uncommitted_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a\n")
    commit_all(tmp_path, "a")
    assert uncommitted_files(tmp_path) == []
    (tmp_path / "b").write_text("b\n")
    (found,) = uncommitted_files(tmp_path)
    assert "1 files are not committed, for example b" in found


def test_files_that_do_not_match_the_file_owners(tree: Path) -> None:
    owners = f"{OWNERSHIP.as_posix()}/ownership.toml"
    edit(tree, owners, 'glob = "notebooks/**", owner = "seed"', 'glob = "x/**", owner = "seed"')
    assert any("copier.yml" in found for found in ownership_problems(tree))


def test_stale_examples(tmp_path: Path) -> None:
    example = tmp_path / "examples" / "small"
    render({"project_name": "Small"}, example)
    (example / ".copier-answers.yml").unlink()
    (tmp_path / "examples" / "answers.yml").write_text("small:\n  project_name: Small\n")
    git(tmp_path, "init", "--quiet")
    assert example_problems(tmp_path) == []
    append(tmp_path, "examples/small/README.md", "stale\n")
    (example / "poe_tasks.toml").unlink()
    (found,) = example_problems(tmp_path)
    assert "examples/small: 2 files are out of date, for example README.md" in found


# ------------------------------------------------------------------ answers


def a_question_without_default(root: Path) -> None:
    edit(root, "copier.yml", "  default: data-science\n", "")


def a_removed_question(root: Path) -> None:
    settings = (root / "copier.yml").read_text()
    start = settings.index("regulated:\n")
    end = settings.index("# ----", start)
    (root / "copier.yml").write_text(settings[:start] + settings[end:])


def a_renamed_question(root: Path) -> None:
    edit(root, "copier.yml", "\nregulated:\n", "\nis_regulated:\n")


def a_computed_question(root: Path) -> None:
    edit(root, "copier.yml", "\nregulated:\n", "\nregulated:\n  when: false\n")


def a_hidden_question(root: Path) -> None:
    hidden = "\nregulated:\n  when: \"[[ cloud == 'azureml' ]]\"\n"
    edit(root, "copier.yml", "\nregulated:\n", hidden)


def a_removed_choice(root: Path) -> None:
    edit(root, "copier.yml", '    "Azure Pipelines": azure-devops\n', "")


def another_type(root: Path) -> None:
    edit(root, "copier.yml", "regulated:\n  type: bool", "regulated:\n  type: str")


def a_stricter_validator(root: Path) -> None:
    edit(root, "includes/names.jinja", "longest_name = 20", "longest_name = 19")


def a_lower_limit(root: Path) -> None:
    edit(root, "copier.yml", "'description', 120", "'description', 80")


def a_forgotten_answer(root: Path) -> None:
    edit(root, "tests/update/accepted_answers.toml", '  "credit_risk",\n', "")


def a_question_without_table(root: Path) -> None:
    append(root, "copier.yml", "\ncost_centre:\n  type: str\n  help: Who pays.\n  default: it\n")


def another_formula(root: Path) -> None:
    edit(root, "copier.yml", "[[ serving != 'online' ]]", "[[ serving == 'both' ]]")


ANSWERS = {
    a_question_without_default: "`team`: has no default",
    a_removed_question: "`regulated`: is no longer asked",
    a_renamed_question: "`regulated`: is no longer asked",
    a_computed_question: "`regulated`: is no longer asked",
    a_hidden_question: "`regulated`: is hidden for some",
    a_removed_choice: "`ci`: no longer offers azure-devops",
    another_type: "`regulated`: has another type",
    a_stricter_validator: "`project_name`: its validator refuses 'xxxxxxxxxxxxxxxxxxxx'",
    a_lower_limit: "`description`: its validator refuses",
    a_forgotten_answer: "`project_name`: ['credit_risk'] is missing",
    a_question_without_table: "has no answers to `cost_centre`",
    another_formula: "`batch`: is False, and was True",
}


@pytest.mark.parametrize("plant", ANSWERS, ids=lambda plant: plant.__name__)
def test_a_lost_answer(last: Questions, tree: Path, plant: Change) -> None:
    plant(tree)
    found = answer_problems(last, Questions(tree), "9.0.0")
    assert any(ANSWERS[plant] in problem for problem in found), found


def test_a_migration_may_handle_a_question(last: Questions, tree: Path) -> None:
    a_removed_choice(tree)
    append(tree, "copier.yml", MIGRATION.replace("move.py", "answer.py").format("ci"))
    assert answer_problems(last, Questions(tree), "9.0.0") == []


def test_the_releases_own_version_may_change(last: Questions, tree: Path) -> None:
    found = Questions(tree)
    value = found.all["platform_version"]["default"]
    edit(tree, "copier.yml", f'default: "{value}"', 'default: "9.0.0"')
    assert answer_problems(last, Questions(tree), "9.0.0") == []


def test_a_stored_formula_may_change(last: Questions, tree: Path) -> None:
    """`ask: false` stores the first value in the project's answers."""
    edit(tree, "copier.yml", "[[ project_slug | replace('-', '_') ]]", "ml_[[ project_slug ]]")
    assert answer_problems(last, Questions(tree), "9.0.0") == []


# ------------------------------------------------------------------ files


def a_renamed_managed_file(root: Path) -> None:
    (root / "template" / "docs" / "gates.md").rename(root / "template" / "docs" / "limits.md")


def a_removed_shared_file(root: Path) -> None:
    (root / "template" / ".gitignore").unlink()


def a_file_that_got_a_condition(root: Path) -> None:
    folder = root / "template" / "docs"
    (folder / "gates.md").rename(folder / "[% if regulated %]gates.md[% endif %]")


FILES = {
    a_renamed_managed_file: "docs/gates.md is no longer rendered",
    a_removed_shared_file: ".gitignore is no longer rendered",
    a_file_that_got_a_condition: "docs/gates.md is no longer rendered",
}


@pytest.mark.parametrize("plant", FILES, ids=lambda plant: plant.__name__)
def test_a_lost_file(last: Questions, tree: Path, plant: Change) -> None:
    plant(tree)
    (found,) = file_problems(last, Questions(tree), "9.0.0")
    assert FILES[plant] in found


def test_a_removed_seed_is_no_problem(last: Questions, tree: Path) -> None:
    (tree / "template" / "notebooks" / "README.md").unlink()
    assert file_problems(last, Questions(tree), "9.0.0") == []


@pytest.mark.parametrize("new", ["mlops_platform-9.0.0-py3-none-any.whl", None])
def test_the_wheel_of_the_release_replaces_the_last(
    tmp_path: Path, tree: Path, new: str | None
) -> None:
    """A wheel that is gone without another one is a lost file."""
    before = copy_repository(tmp_path / "before")
    [wheel] = (tree / "template").glob("*vendor*/*.whl")
    if new:
        wheel.rename(wheel.with_name(new))
    else:
        wheel.unlink()
    found = file_problems(Questions(before), Questions(tree), "9.0.0")
    assert [wheel.name in problem for problem in found] == ([] if new else [True])


def test_a_rename_with_its_migration(last: Questions, tree: Path) -> None:
    a_renamed_managed_file(tree)
    append(tree, "copier.yml", MIGRATION.format("docs/gates.md, docs/limits.md"))
    assert file_problems(last, Questions(tree), "9.0.0") == []
    edit(tree, "copier.yml", "docs/limits.md]", "docs/limit.md]")
    (found,) = file_problems(last, Questions(tree), "9.0.0")
    assert FILES[a_renamed_managed_file] in found


def test_a_removed_file_stays_in_projects_and_the_teams_are_told(
    last: Questions, tree: Path
) -> None:
    a_removed_shared_file(tree)
    kept = "_exclude:\n  - \"[% if _copier_operation == 'update' %]/.gitignore[% endif %]\"\n"
    edit(tree, "copier.yml", "_exclude:\n", kept)
    (found,) = file_problems(last, Questions(tree), "9.0.0")
    assert "Tell their teams" in found
    edit(tree, "CHANGELOG.md", "Changes.", "Removed: `.gitignore`, which git no longer reads.")
    assert file_problems(last, Questions(tree), "9.0.0") == []


def test_files_of_the_package_move_are_kept_as_a_patch(tree: Path, tmp_path: Path) -> None:
    """`package.py` saves edits below `src/<package>/mlops/` and of `uv.toml`, and of no others."""
    before = copy_repository(tmp_path / "before")
    folder = before / "template" / "src" / "[[package_name]]"
    for path in (folder / "mlops" / "gates.py", folder / "other" / "own.py"):
        path.parent.mkdir()
        path.write_text('"""Code."""\n')
    (before / "template" / "uv.toml").write_text("# Settings\n")
    old = Questions(before)
    without = " ".join(file_problems(old, Questions(tree), "9.0.0"))
    assert all(name in without for name in ("mlops/gates.py", "other/own.py", "uv.toml"))
    migration = MIGRATION.replace("move.py", "package.py").format('"[[ package_name ]]"')
    append(tree, "copier.yml", migration)
    (found,) = file_problems(old, Questions(tree), "9.0.0")
    assert "other/own.py is no longer rendered" in found


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_names_are_computed_without_rendering(
    last: Questions, template: Template, combination: str
) -> None:
    """The check computes file names and answers itself; Copier renders the same."""
    given = COMBINATIONS[combination]
    folder = template.pristine(template.current, given)
    rendered = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert last.names(given) == rendered


# ------------------------------------------------------------------ the command


def test_problems_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "problems", lambda *_: ["One.", "Two."])
    assert command.main(["check", "1.0.0"]) == 1
    assert capsys.readouterr().out == "- One.\n- Two.\n1.0.0 cannot be released yet: 2 problems.\n"


def test_no_release_without_green_updates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "problems", lambda *_: [])
    for tests, code, words in (("True", 0, "can be tagged"), ("False", 1, "cannot be released")):
        monkeypatch.setattr(command, "TESTS", ("timeit", "-n1", "-r1", f"assert {tests}"))
        assert command.main(["check", "1.0.0"]) == code
        assert words in capsys.readouterr().out


def test_a_lost_commit_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(*_: object) -> list[str]:
        raise HookError("release 0.1.0 is not in the history")

    monkeypatch.setattr(command, "problems", lost)
    assert command.main(["check", "1.0.0"]) == 2
    assert capsys.readouterr().err == "release 0.1.0 is not in the history\n"


def test_the_last_release_is_read_from_the_history() -> None:
    """All checks on this repository; other problems depend on its current state."""
    found = command.problems(ROOT, "0.0.1")
    assert any("0.0.1 is not above" in problem for problem in found)
    assert any("nothing under `## 0.0.1`" in problem for problem in found)
