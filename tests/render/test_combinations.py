"""What holds for every project, whatever was answered."""

import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hooks import wheel
from tests.conftest import Project
from tests.render.conftest import COMBINATIONS
from tests.render.files import parse, texts
from tests.rendering import ROOT

TEMPLATE = ROOT / "template"
# Words of ours that a firm's project has no use for, hosts of package indexes, paths of a machine:
# those of whoever renders, and of where people's homes are.
OURS = r"copier-mlops|py[p]i\.org|python[h]osted"
PATHS = [r"/(?:root|home|Users)/", *(re.escape(f"{at}/") for at in (ROOT, ROOT.parent))]
FOREIGN = re.compile("|".join([OURS, *PATHS]), re.I)
# Settings of an index: docs/packages.md explains them, no other file makes one.
INDEX = re.compile(
    r"index-url|index_url|extra-index|tool\.uv\.index|^\[\[index\]\]|/simple\b", re.M
)


def test_every_file_parses(combination: Project) -> None:
    kinds = Counter()
    for name, text in texts(combination):
        try:
            parse(name, text)
        except Exception as error:
            pytest.fail(f"{name}: {error}")
        kinds[Path(name).suffix] += 1
    assert kinds[".py"] > 8
    assert kinds[".yml"] > 10
    assert kinds[".toml"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "python-version: 3.10\n",
        "on:\n  push:\n",
        "answer: no\n",
        "a: [\n",
    ],
)
def test_the_yaml_check_fires(text: str) -> None:
    with pytest.raises((AssertionError, yaml.YAMLError)):
        parse("x.yml", text)


def test_text_is_clean(combination: Project) -> None:
    for name, text in texts(combination):
        if not text:
            continue  # an empty file; which ones may be, test_names_and_folders says
        assert "\r" not in text, f"{name}: Windows line ends"
        assert text.endswith("\n"), f"{name}: no newline at the end"
        assert not text.endswith("\n\n"), f"{name}: empty lines at the end"
        trailing = [n for n, line in enumerate(text.split("\n"), 1) if line != line.rstrip()]
        assert not trailing, f"{name}: spaces at the end of lines {trailing}"


def test_names_and_folders(combination: Project) -> None:
    entries = list(combination.path.rglob("*"))
    for entry in entries:
        assert not re.search(r"[\[\]%#{} ]", entry.name), f"{entry}: a condition left its trace"
        assert entry.is_file() or any(entry.iterdir()), f"{entry}: an empty folder"
        assert entry.suffix != ".jinja"
    root = [entry.name for entry in combination.path.iterdir()]
    assert len(root) <= 19, sorted(root)
    assert len([name for name in root if not name.startswith(".")]) <= 13, sorted(root)
    assert len([entry for entry in entries if entry.is_file()]) <= 130
    empty = [entry for entry in entries if entry.is_file() and entry.stat().st_size == 0]
    assert not empty


def test_no_template_syntax_is_left(combination: Project) -> None:
    """Of each file that Copier renders; Python's own `x[[a]]` has no space after the bracket."""
    sources = {source.name.removesuffix(".jinja") for source in TEMPLATE.rglob("*.jinja")}
    checked = 0
    for name, text in texts(combination):
        if Path(name).name in sources:
            found = re.search(r"\[\[ | \]\]|\[%|%\]|\[#|#\]", text)
            assert not found, f"{name}: {found}"
            checked += 1
    assert checked > 5


def foreign(name: str, text: str) -> str | None:
    """What a file names that it should not."""
    if name == ".copier-answers.yml":
        return None  # Copier itself needs to know where the template lies
    found = FOREIGN.search(text) or (name != "docs/packages.md" and INDEX.search(text))
    return found[0] if found else None


def test_nothing_of_ours_and_no_index_is_rendered(combination: Project) -> None:
    assert {
        name: found for name, text in texts(combination) if (found := foreign(name, text))
    } == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "Made with copier-mlops"),
        ("README.md", f"See {ROOT}/docs"),
        ("README.md", "See /home/ada/docs"),
        ("docs/packages.md", "https://pypi." + "org/simple"),
        ("uv.toml", '[[index]]\nurl = "https://feed.example.com"\n'),
        ("pyproject.toml", "[[tool.uv.index]]"),
        ("Dockerfile", "RUN pip install --extra-index-url x"),
    ],
)
def test_a_foreign_word_is_seen(name: str, text: str) -> None:
    assert foreign(name, text)


def test_lint_and_format_are_clean(combination: Project) -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            ["ruff", *command, "--no-cache", "."],
            cwd=combination.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_planted_lint_fault_is_seen(rendered: Callable[..., Project], tmp_path: Path) -> None:
    settings = rendered(COMBINATIONS[0]).read("pyproject.toml")
    (tmp_path / "pyproject.toml").write_text(settings)
    (tmp_path / "bad.py").write_text('"""Bad."""\n\nimport os\n')
    done = subprocess.run(
        ["ruff", "check", "--no-cache", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "F401" in done.stdout


def test_the_wheel_is_the_same_bytes_in_every_project(rendered: Callable[..., Project]) -> None:
    expected = (wheel.VENDOR / wheel.name()).read_bytes()
    for answers in COMBINATIONS:
        [found] = (rendered(answers).path / "vendor").iterdir()
        assert found.name == wheel.name()
        assert found.read_bytes() == expected, answers


def test_dependencies_are_the_same_in_every_project(rendered: Callable[..., Project]) -> None:
    projects = [tomllib.loads(rendered(answers).read("pyproject.toml")) for answers in COMBINATIONS]
    for project in projects:
        assert project["project"]["dependencies"] == projects[0]["project"]["dependencies"]
        assert project["dependency-groups"] == projects[0]["dependency-groups"]


def test_the_day_of_the_packages_is_the_same_here_and_there(
    rendered: Callable[..., Project],
) -> None:
    ours = tomllib.loads((ROOT / "uv.toml").read_text())
    project = rendered(COMBINATIONS[0]).read("pyproject.toml")
    day = tomllib.loads(project)["tool"]["uv"]["exclude-newer"]
    assert ours["exclude-newer"] == day
    # `uvx` does not read pyproject.toml; `poe ui` would take the newest of MLflow's packages.
    assert f"uvx --exclude-newer {day} --from mlflow==" in rendered(COMBINATIONS[0]).read(
        "poe_tasks.toml"
    )


def test_answers_decide_which_files_there_are(rendered: Callable[..., Project]) -> None:
    for answers in COMBINATIONS:
        project = rendered(answers)
        assert project.has(".github/workflows/ci.yml") == (answers["ci"] == "github")
        assert project.has(".azuredevops/ci.yml") == (answers["ci"] == "azure-devops")
        for name in ("train", "deliver", "retrain", "rollback"):
            here = ".github/workflows" if answers["ci"] == "github" else ".azuredevops"
            assert project.has(f"{here}/{name}.yml") == (answers["cloud"] == "azureml")
        assert project.has("pipelines/batch.yml") == (answers["serving"] != "online")
        assert project.yaml("conf/project.yml")["task"] == answers["task"]
        assert project.yaml("conf/project.yml")["regulated"] == answers["regulated"]
