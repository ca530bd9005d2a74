"""Git keeps every byte of data: a model version names them by their hash."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.rendering import render

CRLF = b"age,income\r\n30,1000\r\n"


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = render(
        {"project_name": "Credit Risk"}, tmp_path_factory.mktemp("bytes") / "project", small=True
    )
    git(folder, "init", "--quiet")
    return folder


@pytest.mark.parametrize("autocrlf", ["false", "input", "true"])
@pytest.mark.parametrize(
    "name",
    [
        "data/raw/loans.csv",
        "data/raw/2026/loans.txt",
        "data/labels",
        "data/raw/rows.json",
        "tests/loans.csv",
        "notebooks/loans.tsv",
        "azureml/rows.jsonl",
        "outside.parquet",
    ],
)
def test_data_comes_back_as_it_was(project: Path, name: str, autocrlf: str) -> None:
    git(project, "config", "core.autocrlf", autocrlf)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_bytes(CRLF)
    git(project, "add", "--force", "--", name)
    assert git(project, "cat-file", "blob", f":{name}") == CRLF
    (project / name).unlink()
    git(project, "checkout", "--", name)
    assert (project / name).read_bytes() == CRLF


@pytest.mark.parametrize("name", ["src/credit_risk/more.py", "conf/more.yml", "more.md"])
def test_code_has_unix_line_ends(project: Path, name: str) -> None:
    (project / name).write_bytes(b"a\r\n")
    git(project, "add", "--", name)
    assert git(project, "cat-file", "blob", f":{name}") == b"a\n"


def test_lines_of_git_lfs_count_where_git_lfs_adds_them(project: Path) -> None:
    before = (project / ".gitattributes").read_bytes()
    with (project / ".gitattributes").open("a") as file:
        file.write("data/large/** filter=lfs diff=lfs merge=lfs -text\n")
    asked = ("check-attr", "filter", "--", f"data{os.sep}large{os.sep}a.csv")
    assert git(project, *asked).decode().strip().endswith("filter: lfs")
    (project / ".gitattributes").write_bytes(before)
