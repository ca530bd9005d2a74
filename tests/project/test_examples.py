"""examples/ show what is rendered today, byte for byte."""

from pathlib import Path

import pytest
import yaml

from tests.rendering import ROOT, render

EXAMPLES = ROOT / "examples"
ANSWERS = yaml.safe_load((EXAMPLES / "answers.yml").read_text(encoding="utf-8"))
# What people's commands leave in an example; .gitignore names it too.
MADE = {".venv", ".mlops", "outputs", "__pycache__", "uv.lock"}
MADE |= {".mypy_cache", ".pytest_cache", ".ruff_cache"}


def files(folder: Path) -> dict[str, bytes]:
    """Each file below a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not MADE & set(file.relative_to(folder).parts)
    }


def differences(example: dict[str, bytes], fresh: dict[str, bytes]) -> list[str]:
    """Names of the files that differ, or stand on one side only."""
    return sorted(
        name for name in example.keys() | fresh.keys() if example.get(name) != fresh.get(name)
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_an_example_is_a_fresh_render(name: str, tmp_path: Path) -> None:
    fresh = render(ANSWERS[name], tmp_path / name)
    (fresh / ".copier-answers.yml").unlink()
    changed = differences(files(EXAMPLES / name), files(fresh))
    assert not changed, (
        f"examples/{name} is not what the template renders: {', '.join(changed)}. "
        "Run `uv run python examples/render.py` and commit what it changes."
    )


def test_a_difference_is_seen() -> None:
    same = {"a": b"1", "b": b"2"}
    assert differences(same, same) == []
    assert differences(same, {"a": b"1\r\n", "c": b"2"}) == ["a", "b", "c"]


def test_every_folder_is_an_example() -> None:
    folders = {entry.name for entry in EXAMPLES.iterdir() if entry.is_dir()} - MADE
    assert folders == set(ANSWERS)


def test_the_readme_names_every_example() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name, answers in ANSWERS.items():
        assert f"`{name}`" in text
        for question, value in answers.items():
            assert f"`{question}: {value}`" in text
