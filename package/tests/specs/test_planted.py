"""Each error in planted.yml is refused, with a message that names the file and the field."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlops_platform.schemas.nodes import Problem
from mlops_platform.specs import check, sdk

PLANTED = yaml.safe_load(Path(__file__).with_name("planted.yml").read_text(encoding="utf-8"))
ROWS = [
    pytest.param(file, row, id=f"{file}:{row['field']}:{number}")
    for file, rows in PLANTED.items()
    for number, row in enumerate(rows)
]
MESSAGE = re.compile(r"(?P<file>[^,]+), line (?P<line>\d+), field `(?P<field>[^`]+)`: .+; .+\.")


def looked_at(file: Path, root: Path) -> tuple[list[Problem], list[Problem]]:
    """What the lint and azure-ai-ml say of a file; others in its folder may help to judge it."""
    folder = file.parent.parent if file.name == "Dockerfile" else file.parent
    specs, problems = check.lint(sorted(folder.glob("*.yml")), root)
    own = [problem for problem in problems if problem.file == file]
    return own, list(sdk.validate(spec for spec in specs if spec.path == file))


@pytest.mark.parametrize(("file", "row"), ROWS)
def test_a_planted_error_is_refused(project: Path, file: str, row: dict[str, Any]) -> None:
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    assert row["was"] in text, f"{file} has changed; plant the error elsewhere"
    path.write_text(text.replace(row["was"], row["is"], 1), encoding="utf-8")
    try:
        lint, told = looked_at(path, project)
    finally:
        path.write_text(text, encoding="utf-8")

    assert {"lint": bool(lint), "sdk": bool(told)} == {
        "lint": row["by"] in ("lint", "both"),
        "sdk": row["by"] in ("sdk", "both"),
    }
    # A file that is made from conf/ differs from it with every error: that alone is no catch.
    from_conf = row.get("only") == "conf"
    named = {f.field for f in lint if f.message.startswith("differs from conf/ at") == from_conf}
    assert row["field"] in named, list(map(str, lint))
    for problem in lint:
        found = MESSAGE.fullmatch(str(problem))
        assert found, problem
        assert found["file"] == file


def test_the_same_files_without_an_error_pass(project: Path) -> None:
    for file in PLANTED:
        assert looked_at(Path(file), project) == ([], [])


def test_at_least_a_hundred_and_no_two_alike() -> None:
    edits = Counter((file, row["was"], row["is"]) for file, rows in PLANTED.items() for row in rows)
    assert len(edits) >= 100
    assert set(edits.values()) == {1}
