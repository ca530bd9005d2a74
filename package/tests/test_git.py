"""Git is run in one place, with users' surroundings held off and CI's connections left in."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_platform.core import git
from mlops_platform.core.errors import UsageError
from mlops_platform.ethics import project_files
from mlops_platform.tracking import provenance

ROOT = Path(__file__).resolve().parents[2]
CODE = (ROOT / "package" / "src", ROOT / "hooks")
ONE_PLACE = ROOT / "package" / "src" / "mlops_platform" / "core" / "git.py"
STARTS_COPIER = re.compile(r"\bcopier\.run_(copy|update|recopy)\(")


def commands(code: str) -> Iterator[int]:
    """The lines in which a program called git is started or searched."""
    for node in ast.walk(ast.parse(code)):
        words: list[ast.expr] = []
        if isinstance(node, ast.List | ast.Tuple):
            words = node.elts[:1]
        elif isinstance(node, ast.Call) and not ast.unparse(node.func).endswith("Error"):
            words = [
                value.values[0] if isinstance(value, ast.JoinedStr) and value.values else value
                for value in node.args[:1]
            ]
        for word in words:
            if isinstance(word, ast.Constant) and re.match(r"git(\s|$)", str(word.value)):
                yield word.lineno


def test_no_other_module_starts_git() -> None:
    files = [path for folder in CODE for path in sorted(folder.rglob("*.py"))]
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in commands(path.read_text(encoding="utf-8"))
    }
    assert {
        place for place in found if not place.startswith(str(ONE_PLACE.relative_to(ROOT)))
    } == set()
    assert found, "the one place is found"


@pytest.mark.parametrize(
    "code",
    [
        'subprocess.run(["git", "status"])',
        'command = ("git", *words)',
        'os.system("git status")',
        'os.system(f"git add {name}")',
        'shutil.which("git")',
        'plumbum.local.get("git")',
    ],
)
def test_a_second_place_would_be_found(code: str) -> None:
    assert list(commands(code)) == [1]


def test_copier_in_this_process_is_held_off_everywhere() -> None:
    """Each call stands in a `with git_held_off()`; the migrations run in Copier's own process."""
    calls = 0
    for path in (ROOT / "hooks").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        if "migrations" in path.parts or not STARTS_COPIER.search(code):
            continue
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.With):
                held = any("git_held_off()" in ast.unparse(item) for item in node.items)
                calls += held and len(STARTS_COPIER.findall(ast.unparse(node)))
        calls -= len(STARTS_COPIER.findall(code))
    assert calls == 0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit, and a folder of another one whose hook seems to run."""
    folder = tmp_path / "ours"
    for place in (folder, tmp_path / "hook"):
        place.mkdir()
        (place / "a.txt").write_text(place.name)
        subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)
        subprocess.run(["git", "add", "."], cwd=place, check=True)
        subprocess.run(["git", "commit", "--quiet", "-m", place.name], cwd=place, check=True)
    return folder


HOOK = {
    "GIT_DIR": "{hook}/.git",
    "GIT_INDEX_FILE": "{hook}/.git/index",
    "GIT_WORK_TREE": "{hook}",
    "GIT_PREFIX": "elsewhere/",
    "GIT_COMMON_DIR": "{hook}/.git",
    "GIT_OBJECT_DIRECTORY": "{hook}/.git/objects",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NAMESPACE": "other",
}


@pytest.mark.parametrize("name", [*HOOK, "all"])
def test_the_repository_of_a_hook_is_not_read(
    repository: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked = (
        lambda: git.text(repository, "rev-parse", "HEAD"),
        lambda: git.names(repository, "ls-files", "-z", "--", ":(top)*"),
        lambda: provenance.git_state(repository),
        lambda: project_files.list_git_files(repository),
    )
    before = [ask() for ask in asked]
    for variable in HOOK if name == "all" else [name]:
        monkeypatch.setenv(variable, HOOK[variable].format(hook=repository.parent / "hook"))
    assert [ask() for ask in asked] == before


def test_a_file_that_the_users_git_does_not_show_makes_a_run_dirty(repository: Path) -> None:
    subprocess.run(["git", "config", "status.showUntrackedFiles", "no"], cwd=repository, check=True)
    (repository / "new.py").write_text("")
    assert provenance.git_state(repository)["git_dirty"] == "true"
    assert provenance.is_committed(repository) is False


def test_what_ci_passes_for_connections_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = {
        "GIT_ASKPASS": "/ci/askpass",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "url.https://mirror.example/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://origin.example/",
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        "GIT_SSH_COMMAND": "ssh -i key",
        "GIT_SSL_CAINFO": "/ci/ca.pem",
        "GIT_TOKEN": "read by a credential helper",
        "HTTPS_PROXY": "http://proxy.example",
    }
    for name, value in passed.items():
        monkeypatch.setenv(name, value)
    kept = git.environment(settings={"http.extraHeader": "ours"})
    count = int(kept.pop("GIT_CONFIG_COUNT"))
    assert count == 2 + len(git.SETTINGS) + 1
    assert {name: kept.get(name) for name in passed if name != "GIT_CONFIG_COUNT"} == {
        name: value for name, value in passed.items() if name != "GIT_CONFIG_COUNT"
    }
    assert kept[f"GIT_CONFIG_VALUE_{count - 1}"] == "ours"


def test_settings_of_ci_reach_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{repository}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://origin.invalid/x.git")
    assert git.text(repository.parent, "ls-remote", "https://origin.invalid/x.git", "HEAD")


@pytest.mark.parametrize("strong", [False, True])
def test_settings_passed_by_the_environment_are_held_off_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch, strong: bool
) -> None:
    """Also those of `git -c` around a hook, which are stronger than the others."""
    if strong:
        monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'status.showUntrackedFiles'='no' 'a.b=c'")
    else:
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "status.showUntrackedFiles")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "no")
    (repository / "new.py").write_text("")
    assert git.text(repository, "status", "--porcelain") == "?? new.py"
    if strong:
        assert git.text(repository, "config", "a.b") == "c"


def test_a_count_that_is_no_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "many")
    with pytest.raises(UsageError, match="GIT_CONFIG_COUNT: 'many' is not a number"):
        git.environment()


def test_names_in_any_bytes_survive(repository: Path) -> None:
    (repository / os.fsdecode(b"caf\xe9.txt")).write_text("")
    [name] = git.names(repository, "ls-files", "--others", "-z")
    assert (repository / name).is_file()
    assert git.shown(name) == "'caf\\udce9.txt'"


def test_a_missing_git_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(git.GitError, match="git cannot be started"):
        git.text(repository, "status")


def test_what_git_says_is_told_without_the_values_of_options(repository: Path) -> None:
    with pytest.raises(
        git.GitError, match=r"`git rev-parse nothing` failed with 128: fatal: "
    ) as error:
        git.text(repository, "rev-parse", "--verify", "nothing")
    assert "Traceback" not in str(error.value)
