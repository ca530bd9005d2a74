"""Bad answers are refused with the value, the rule and a suggestion that is accepted itself."""

import keyword
import re
import shutil
import string
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier._main import Worker  # the one that knows how Copier sets Jinja up
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import Project
from tests.render.files import parse, texts
from tests.rendering import ROOT, commit_all, copy_template

SUGGESTED = re.compile(r"; for example '([^']*)'\.$")

PROJECT_NAMES = {
    "quotes": ['my "best" model', "it's", "`x`y"],
    "leading digits": ["3 things", "2024-forecast"],
    "not ASCII": ["Café model", "модель", "模型", "naïve", "\uff21bc", "a\u0301bc"],
    "Python's words": ["class", "None", "match", "lambda", "true"],
    "YAML's words": ["yes", "off", "null", "ON"],
    "standard library": ["json", "Email", "py-compile", "random", "test"],
    "dependencies": ["pandas", "scikit-learn", "sklearn", "PyYAML", "requests", "types-pyyaml"],
    "reserved": ["src", "Tests", "mlops", "con", "aux", "lpt1"],
    "too long": ["a" * 21, "a very long name of a project", "a" * 5000],
    "spaces and signs": [
        "",
        " ",
        " a",
        "abc ",
        "a  b",
        "a--b",
        "-ab",
        "abc-",
        "_abc",
        "a.b",
        "a/b",
    ],
    "lines and control": ["abc\n", "a\nb", "a\r\nb", "a\tb", "a\x00b", "a\u2028b", "a\x85b"],
    "syntax of others": [
        "[[ 7*7 ]]",
        "{{ x }}",
        "${{ x }}",
        "[% raw %]",
        "$(id)",
        "../up",
        "a: b",
        "#a",
    ],
}
GOOD_NAMES = ["x", "Credit Risk", "credit-risk", "credit_risk", "abc1", "A1b 2c", "x" * 20, "model"]


QUESTIONS = ("project_name", "description", "team", "platform_team", "user_email")


@pytest.fixture(scope="module")
def validators(template: Path) -> dict[str, Callable[[str], str]]:
    """The questions' validators as Copier runs them: a text for its fault, empty for none."""
    environment = Worker(src_path=str(template)).jinja_env
    questions = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))

    def validator(question: str) -> Callable[[str], str]:
        compiled = environment.from_string(questions[question]["validator"])
        return lambda value: compiled.render({question: value}).strip()

    return {name: validator(name) for name in QUESTIONS}


def assert_good_message(
    fault: str, question: str, value: str, accepts: Callable[[str], str]
) -> None:
    """One line with the question, the value, a rule and a suggestion that is accepted."""
    assert len(fault.splitlines()) == 1, repr(fault)
    assert fault.startswith(question)
    assert re.search(r" (must be|has|is) ", fault)
    printable = re.sub(r"[^ !#-&(-\[\]-~]", "", value)  # no quotes, no backslashes
    if printable == value and len(value) <= 60:
        assert f'"{value}"' in fault
    suggestion = SUGGESTED.search(fault)
    assert suggestion, fault
    assert accepts(suggestion[1]) == "", f"{fault} But that is refused: {accepts(suggestion[1])}"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, id=f"{kind}-{i}")
        for kind, ns in PROJECT_NAMES.items()
        for i, n in enumerate(ns)
    ],
)
def test_bad_project_names_are_refused(validators: dict[str, Any], name: str) -> None:
    fault = validators["project_name"](name)
    assert fault, f"{name!r} was accepted"
    assert_good_message(fault, "project_name", name, validators["project_name"])


@pytest.mark.parametrize(
    ("question", "value", "suggested"),
    [
        ("project_name", "Größe & Müll", "groesse-muell"),
        ("project_name", "Élan Vital", "elan-vital"),
        ("project_name", "Anna's Model", "annas-model"),
        ("description", "Prédit l'été des Ölpreise", "Predit lete des Oelpreise"),
    ],
)
def test_a_suggestion_writes_letters_as_people_do(
    validators: dict[str, Any], question: str, value: str, suggested: str
) -> None:
    assert f"for example '{suggested}'" in validators[question](value)


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_project_names_are_accepted(validators: dict[str, Any], name: str) -> None:
    assert validators["project_name"](name) == ""


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("description", 'says "hi"'),
        ("description", "it's"),
        ("description", "Prédit"),
        ("description", "3 things"),
        ("description", "two\nlines"),
        ("description", "a\\b"),
        ("description", ""),
        ("description", "Ends with a full stop."),
        ("description", "x" * 121),
        ("description", "[[ 7*7 ]]"),
        ("description", "a # comment"),
        ("team", "@contoso//lending"),
        ("platform_team", "ml-platform"),
        ("platform_team", "@contoso/ml platform"),
        ("platform_team", "@contoso/ml-platform\n* @somebody"),
        ("team", "équipe"),
        ("team", "1st team"),
        ("team", ""),
        ("team", 'a "team"'),
        ("team", "x" * 61),
        ("user_email", "nobody"),
        ("user_email", "a b@c.de"),
        ("user_email", 'a"b@c.de'),
        ("user_email", "ü@c.de"),
        ("user_email", "x" * 120 + "@c.de"),
        ("user_email", "a@b.c\nd: e"),
    ],
)
def test_other_bad_texts_are_refused(validators: dict[str, Any], question: str, value: str) -> None:
    fault = validators[question](value)
    assert fault, f"{value!r} was accepted"
    assert_good_message(fault, question, value, validators[question])


def test_the_defaults_and_placeholders_are_accepted(
    validators: dict[str, Any], template: Path
) -> None:
    questions = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))
    for question, fault_of in validators.items():
        for field in ("default", "placeholder"):
            if field in questions[question]:
                assert fault_of(questions[question][field]) == ""


WORDS = [word for words in PROJECT_NAMES.values() for word in words if len(word) < 60]
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=string.printable, max_size=40),
    st.lists(st.sampled_from([*WORDS, "-", "_", " ", "1", "é", '"']), max_size=4).map("".join),
)


@given(value=HOSTILE)
@example(value="3 numpy!")
@example(value="multiprocessing------x")
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_is_accepted_or_refused_well(validators: dict[str, Any], value: str) -> None:
    for question, fault_of in validators.items():
        fault = fault_of(value)
        if fault:
            assert_good_message(fault, question, value, fault_of)
        else:
            assert value.isascii()
            assert value.isprintable()
            assert not set(value) & set("\"'`\\#$<>[]{}|*!?=~^")


ACCEPTED_NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9]{0,8}([ _-][A-Za-z0-9]{1,5}){0,2}\Z")
LETTERS = string.ascii_letters + string.digits + " ,.;:()/+&%-"


@given(
    name=ACCEPTED_NAMES,
    description=st.text(alphabet=LETTERS, min_size=1, max_size=120),
    team=st.from_regex(r"\A@?[A-Za-z][A-Za-z0-9]{0,9}([ ./_-][A-Za-z0-9]{1,9}){0,3}\Z"),
)
@example(name="Credit Risk", description="A: b, c; d - e (50% of f/g + h & i)", team="@a/b")
@example(name="e1e", description="Yes", team="null")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_accepted_renders_to_files_that_parse(  # noqa: PLR0917
    validators: dict[str, Any],
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    description: str,
    team: str,
) -> None:
    answers = {"project_name": name, "description": description, "team": team}
    faults = [fault for question in answers if (fault := validators[question](answers[question]))]
    project = Project(tmp_path_factory.mktemp("named") / "project")
    if faults:
        with pytest.raises(ValueError, match=re.escape(faults[0])):
            copier.run_copy(str(template), project.path, data=answers, defaults=True, quiet=True)
        assert not project.path.exists()
        return
    copier.run_copy(str(template), project.path, data=answers, defaults=True, quiet=True)
    for file, text in texts(project):
        parse(file, text)
    slug = re.sub("[ _]", "-", name.lower())
    written = project.yaml("conf/project.yml")
    assert (written["name"], written["description"], written["team"]) == (slug, description, team)
    meta = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert (meta["name"], meta["description"]) == (slug, description)
    assert project.has(f"src/{slug.replace('-', '_')}/model.py")


def test_words_of_python_are_refused(validators: dict[str, Any]) -> None:
    words = {*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names}
    for word in words:
        if not word.startswith("_"):
            assert validators["project_name"](word), f"python's '{word}' was accepted"


ALL_MODULES = """
import importlib.metadata, pkgutil, sys
found = {module.name for module in pkgutil.iter_modules()}
found |= {*sys.builtin_module_names, *sys.stdlib_module_names}
print(*found, *importlib.metadata.packages_distributions(), sep="\\n")
"""


def test_names_of_what_is_installed_are_refused(
    validators: dict[str, Any], kept_project: Callable[..., Project]
) -> None:
    """All that a project's own interpreter can import, such as `test`: one would hide the other.

    And the names of the lock, which uv cannot resolve beside a project of that name.
    """
    project = kept_project({"project_name": "Credit Risk"})
    lock = tomllib.loads(project.read("uv.lock"))
    imports = project.run("uv", "run", "python", "-I", "-c", ALL_MODULES).stdout.split()
    names = {package["name"] for package in lock["package"]} | set(imports)
    assert {"scikit-learn", "sklearn", "mlflow", "test", "sys", "yaml"} <= names
    accepted = [
        name
        for name in sorted(names - {"credit-risk", "credit_risk"})
        if name.isidentifier() or "-" in name
        if not name.startswith("_") and not validators["project_name"](name)
    ]
    assert not accepted, f"add to includes/names.jinja: {' '.join(accepted)}"


def copy(template: Path, folder: Path, *data: str) -> subprocess.CompletedProcess[str]:
    """The command as a user or a CI job types it."""
    options = [word for item in data for word in ("--data", item)]
    return subprocess.run(
        ["copier", "copy", "--defaults", *options, str(template), "project"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_last_line_of_a_refused_copy_says_it_all(template: Path, tmp_path: Path) -> None:
    done = copy(template, tmp_path, 'project_name=my "model"')
    assert done.returncode == 1
    assert (done.stdout + done.stderr).splitlines()[-1] == (
        "ValueError: Validation error for question 'project_name': "
        'project_name "my \\"model\\"" must be ASCII letters and digits that start with a letter, '
        "with single spaces, hyphens or underscores between words; for example 'my-model'."
    )
    assert not (tmp_path / "project").exists()


def test_one_answer_is_enough(template: Path, tmp_path: Path) -> None:
    done = copy(template, tmp_path, "project_name=x y")
    assert done.returncode == 0, done.stderr
    project = Project(tmp_path / "project")
    assert project.yaml(".copier-answers.yml")["package_name"] == "x_y"
    commands = [line.strip() for line in done.stderr.splitlines() if line.startswith("    ")]
    assert commands == [
        'cd "project"; uv sync --compile-bytecode',
        'git init -b main; git add .; git commit -m "Start x y"',
        "uv run poe pipeline",
    ]


def test_a_copy_of_no_release_is_told(template: Path, tmp_path: Path) -> None:
    """Renovate and `copier check-update` compare versions, and a commit is none."""
    done = copy(template, tmp_path, "project_name=abc-model")
    assert "made from a folder without git, which is no release" in done.stderr
    repository = copy_template(tmp_path / "template")
    commit_all(repository, "Work")
    shutil.rmtree(tmp_path / "project")
    done = copy(repository, tmp_path, "project_name=abc-model")
    recorded = Project(tmp_path / "project").yaml(".copier-answers.yml")["_commit"]
    assert f"made from {recorded}, which is no release" in done.stderr
    subprocess.run(["git", "tag", "v2.0.0"], cwd=repository, check=True)
    shutil.rmtree(tmp_path / "project")
    assert "no release" not in copy(repository, tmp_path, "project_name=abc-model").stderr


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, question in yaml.safe_load((ROOT / "copier.yml").read_text("utf-8")).items()
        if isinstance(question, dict) and question.get("when") is False
    ],
)
def test_a_computed_value_is_refused(template: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}': is computed from other answers"):
        copier.run_copy(
            str(template),
            tmp_path / "project",
            data={"project_name": "Credit Risk", name: "false"},
            defaults=True,
            quiet=True,
        )
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("package_name=test", 'package_name "test" is a module of Python\'s standard library'),
        ("package_name=two words", 'package_name "two words" must be lower-case ASCII letters'),
        ("project_slug=../up", 'project_slug "../up" must be lower-case ASCII letters'),
        ("package_name=src", 'package_name "src" is a folder or command'),
    ],
)
def test_a_package_that_cannot_be_imported_is_refused(
    template: Path, tmp_path: Path, given: str, said: str
) -> None:
    done = copy(template, tmp_path, "project_name=Credit Risk", given)
    assert done.returncode == 1
    assert said in (done.stdout + done.stderr).splitlines()[-1]
    assert not (tmp_path / "project").exists()


def test_a_package_of_another_name_is_taken(template: Path, tmp_path: Path) -> None:
    assert copy(template, tmp_path, "project_name=Credit Risk", "package_name=risk").returncode == 0
    assert (tmp_path / "project" / "src" / "risk" / "model.py").is_file()


@pytest.mark.parametrize("source", ["template", "./template", "../{parent}/template"])
def test_a_template_beside_the_project_is_recorded_by_its_whole_path(
    tmp_path: Path, source: str
) -> None:
    """Later updates run in the project's folder, and in scratch folders."""
    repository = copy_template(tmp_path / "template", small=True)
    commit_all(repository, "Release")
    subprocess.run(["git", "tag", "v2.0.0"], cwd=repository, check=True)
    given = source.format(parent=tmp_path.name)
    done = copy(Path(given), tmp_path, "project_name=Credit Risk")
    assert done.returncode == 0, done.stderr
    recorded = Project(tmp_path / "project").yaml(".copier-answers.yml")["_src_path"]
    assert recorded == str(repository.resolve())


@pytest.mark.parametrize(
    "url",
    ["https://github.com/a/b.git", "git+https://x/y", "gh:a/b", "git@host:a/b.git", "file:///a/b"],
)
def test_a_url_is_recorded_as_it_is(template: Path, url: str) -> None:
    environment = Worker(src_path=str(template)).jinja_env
    text = (template / "template" / "[[_copier_conf.answers_file]].jinja").read_text("utf-8")
    rendered = environment.from_string(text).render(_copier_answers={"_src_path": url, "b": 1})
    assert yaml.safe_load(rendered) == {"_src_path": url, "b": 1}
    assert rendered.startswith("# Written by copier.")
