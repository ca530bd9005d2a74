"""The template's changelog between two releases."""

import subprocess
from pathlib import Path

import pytest
from mlops_platform.template import changelog

TEXT = """# Changelog

## 1.2.0

Third.

## 1.1.0

Second.

### Fixed

A bug.

## 1.0.0

First.
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template repository with the tag v1.2.0, and one without a changelog."""
    root = tmp_path / "template"
    root.mkdir()
    (root / "CHANGELOG.md").write_text(TEXT)
    for words in (["init", "--quiet"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1.2.0"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_the_sections_after_the_old_release_are_given(template: Path) -> None:
    read = changelog.read(str(template), "v1.0.0", "v1.2.0")
    assert read == "## 1.2.0\n\nThird.\n\n## 1.1.0\n\nSecond.\n\n### Fixed\n\nA bug.\n"
    assert changelog.read(template.as_uri(), "v1.1.0", "v1.2.0") == "## 1.2.0\n\nThird.\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("v1.2.0", "v1.2.0", ""),
        ("v1.0.0", "v1.1.0", "## 1.1.0\n\nSecond.\n\n### Fixed\n\nA bug.\n"),
        ("4cd85c9", "v1.1.0", ""),
    ],
)
def test_other_sections_are_left_out(before: str, after: str, expected: str) -> None:
    assert changelog.between(TEXT, before, after) == expected


def test_what_cannot_be_read_is_told(template: Path, tmp_path: Path) -> None:
    assert "cannot be read (" in changelog.read(str(tmp_path / "gone"), "v1.0.0", "v1.2.0")
    (template / "CHANGELOG.md").unlink()
    for words in (["commit", "-qam", "x"], ["tag", "v1.3.0"]):
        subprocess.run(["git", *words], cwd=template, check=True)
    assert "cannot be read (" in changelog.read(str(template), "v1.2.0", "v1.3.0")


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("gh:contoso/template", "https://github.com/contoso/template.git"),
        ("gh:contoso/template/", "https://github.com/contoso/template.git"),
        ("gl:contoso/template.git", "https://gitlab.com/contoso/template.git"),
        ("git+https://git.example.com/t", "https://git.example.com/t"),
        ("/srv/template", "/srv/template"),
    ],
)
def test_sources_of_copier(source: str, url: str) -> None:
    assert changelog.git_url(source) == url
