"""`mlops specs`: the checked files, the exit codes, and agreement with the local runner."""

import itertools
import json
import re
import socket
import sys
from pathlib import Path

import pytest
import yaml
from mlops_platform import cli, pipelines
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.schemas import nodes
from mlops_platform.specs import check, sdk

from package.tests.specs.test_planted import PLANTED

SPEC = """\
$schema: https://azuremlschemas.azureedge.net/latest/data.schema.json
name: prices
type: uri_file
path: {path}
"""

ENVIRONMENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
name: e
image: python
"""


def say(*arguments: str) -> None:
    cli.invoke(["specs", *arguments])


def test_a_project_that_is_right_says_how_many_and_no_word_more(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        pytest.fail(f"the check needs no connection: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    say()
    said = capfd.readouterr()
    assert re.fullmatch(r"all \d+ specs are valid\n", said.out)
    assert said.err == ""


def test_all_faults_at_once_each_with_its_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.yml").write_text(SPEC.format(path="gone.csv") + "colour: red\n")
    Path("two.yml").write_text(SPEC.format(path="gone.csv"))
    with pytest.raises(GateError) as caught:
        say("one.yml", "two.yml")
    assert str(caught.value).splitlines() == [
        "3 faults, which Azure ML refuses:",
        "one.yml, line 4, field `path`: there is no file or folder gone.csv in .; "
        "name one that exists.",
        "one.yml, line 5, field `colour`: Azure ML does not know this field; write one of "
        "auto_delete_setting, datastore, description, name, path, properties, tags, type, version.",
        "two.yml, line 4, field `path`: there is no file or folder gone.csv in .; "
        "name one that exists.",
    ]


def test_the_process_ends_with_1_for_a_fault_and_2_for_wrong_use(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.yml").write_text(SPEC.format(path="gone.csv"))
    for arguments, code in ((["one.yml"], 1), (["gone.yml"], 2), ([], 2)):
        monkeypatch.setattr(sys, "argv", ["mlops", "specs", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code


def test_json_is_for_machines(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.yml").write_text(SPEC.format(path="gone.csv"))
    with pytest.raises(GateError, match=r"^1 fault, which Azure ML refuses:"):
        say("one.yml", "--json")
    [problem] = json.loads(capsys.readouterr().out)
    assert problem["file"] == "one.yml"
    assert (problem["line"], problem["field"]) == (4, "path")
    assert problem["says"].startswith("there is no file")
    assert problem["level"] == "azure"


def test_house_rules_are_told_apart_and_left_out_when_asked(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    Path("e.yml").write_text(ENVIRONMENT)
    Path("d.yml").write_text(SPEC.format(path="gone.csv"))
    with pytest.raises(GateError) as caught:
        say("e.yml", "d.yml")
    fault, house = (
        "1 fault, which Azure ML refuses:",
        "1 house rule not kept, which Azure ML accepts",
    )
    headings = [line for line in str(caught.value).splitlines() if line.endswith(":")]
    assert headings == [fault, f"{house} (`mlops specs --only azure` leaves them out):"]
    with pytest.raises(GateError) as caught:
        say("e.yml", "d.yml", "--only", "azure")
    assert str(caught.value).startswith(fault)
    assert "house" not in str(caught.value)
    assert "e.yml" not in str(caught.value)
    capfd.readouterr()
    with pytest.raises(GateError, match=f"^{house}"):
        say("e.yml", "--json")
    assert [row["level"] for row in json.loads(capfd.readouterr().out)] == ["house"]
    say("e.yml", "--only", "azure")
    assert capfd.readouterr().out == "the spec is valid by Azure ML's rules\n"


def test_the_package_is_an_error_where_it_is_wanted_and_missing(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sdk, "is_installed", lambda: False)
    with pytest.raises(UsageError, match=r"azure-ai-ml cannot be imported.*Run `uv sync`"):
        check.run([], project)
    Path(tmp_path / "one.yml").write_text(SPEC.format(path="one.yml"))
    assert check.run([tmp_path / "one.yml"], tmp_path) == (1, [])


def test_what_the_lint_does_not_know_is_told_by_the_package(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.yml").write_text(
        "$schema: https://azuremlschemas.azureedge.net/latest/workspace.schema.json\n"
        "name: ours\nlocatoin: westeurope\n"
    )
    _, [problem] = check.run([Path("w.yml")], tmp_path)
    assert (problem.line, problem.field) == (3, "locatoin")
    assert "azure-ai-ml rejects it: Unknown field; see" in problem.message


def test_a_fault_is_told_once_in_the_better_words(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.yml").write_text(SPEC.format(path="one.yml").replace("uri_file", "file"))
    _, [problem] = check.run([Path("one.yml")], tmp_path)
    assert problem.message == "'file' is not known here; write one of mltable, uri_file, uri_folder"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "is empty"),
        ("- a\n", 1, "has no fields"),
        ("a: [\n", 2, "not valid YAML"),
        ("a: 1\nb: {c: 2, c: 3}\n", 2, "is a duplicate"),
        ("a: &a\n  b: *a\n", 1, "contains itself"),
        ("a:\n  b: 2024-13-45\n", 2, "is invalid"),
        ("a: {{inputs.b}}\n", 1, "write ${{...}}"),
    ],
)
def test_what_is_no_yaml(tmp_path: Path, text: str, line: int, says: str) -> None:
    (tmp_path / "x.yml").write_text(text)
    _, [problem] = nodes.read(tmp_path / "x.yml")
    assert problem.line == line
    assert says in problem.message


# What the local runner says where Azure ML could do it, and the lint lets it pass.
CLOUD_ONLY = re.compile(r"local runs|cannot run here|Azure ML only|in the cloud|one command")


@pytest.mark.parametrize("file", ["pipelines/train.yml", "pipelines/components/train.yml"])
def test_the_lint_refuses_what_the_local_runner_refuses(project: Path, file: str) -> None:
    path, refused = Path(file), 0
    text = path.read_text(encoding="utf-8")
    try:
        for row in PLANTED[file]:
            path.write_text(text.replace(row["was"], row["is"], 1), encoding="utf-8")
            try:
                pipelines.load(Path("pipelines/train.yml"))
            except UsageError as error:
                refused += 1
                _, problems = check.lint([Path("pipelines/train.yml"), path], project)
                assert problems or CLOUD_ONLY.search(str(error)), error
    finally:
        path.write_text(text, encoding="utf-8")
    assert refused > 5


def test_only_one_module_knows_microsofts_package() -> None:
    package = Path(cli.__file__).parents[1]
    knowing = [file for file in package.rglob("*.py") if "azure.ai" in file.read_text("utf-8")]
    assert [file.relative_to(package).as_posix() for file in knowing] == ["specs/sdk.py"]


def test_a_wrong_value_anywhere_is_no_crash(project: Path, tmp_path: Path) -> None:
    """Each field at the top of each spec becomes nothing, a list, a number: never a traceback."""
    checked = 0
    for file in [*Path("pipelines").rglob("*.yml"), *Path("azureml").rglob("*.yml")]:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        broken = file.with_name("broken.yml")
        for field, value in itertools.product(content, (None, [{"a": [None]}], -1)):
            broken.write_text(yaml.safe_dump({**content, field: value}), encoding="utf-8")
            try:
                _, problems = check.lint([broken], tmp_path)  # where there is no conf/
            finally:
                broken.unlink()
            assert problems, f"{file}: {field} may not be {value}"
            checked += 1
    assert checked > 500
