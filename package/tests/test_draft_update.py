"""`mlops data draft --update`: changed data in a contract that people have edited."""

import numpy as np
import pandas as pd
import pytest
import yaml
from mlops_platform import cli
from mlops_platform.core.errors import UsageError
from mlops_platform.draft import edits

from package.tests.workspaces import Workspace

ROWS = 200
WRITTEN = """\
# Ours.
min_rows: 100
source: {separator: ";"}  # from the warehouse
columns:
  # What the scale says.
  weight: {kind: number, min: 1, max: 5, about: kilograms}  # never below 1
  colour:
    kind: category
    values:
      - red  # the first one
      - blue  # the second
    about: as painted
  hours: {kind: integer, min: 0, max: 100, missing: 0.1}
  made: {kind: date, role: time, min: 2024-01-01, max: 2024-12-31}
  old: {kind: number, about: not measured since May}  # goes away
  batch: {kind: text, role: ignored}
  size: {kind: number, role: target}  # as ordered
# The end.
"""


def table(**changed: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "weight": rng.uniform(1, 5, ROWS).round(2),
            "colour": rng.choice(["red", "blue"], ROWS),
            "hours": rng.integers(0, 100, ROWS),
            "made": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "old": rng.normal(size=ROWS).round(2),
            "batch": rng.choice(["b1", "b2", "b3"], ROWS),
            "size": rng.normal(size=ROWS).round(2),
        }
    )
    return rows.assign(**changed)


@pytest.fixture
def project(regression: Workspace) -> Workspace:
    """A project with the contract above, which its data keeps."""
    (regression.conf / "data.yml").write_text(WRITTEN)
    return regression


def update(project: Workspace, rows: pd.DataFrame, *more: str, target: str = "size") -> str:
    """Update the contract from rows; its text afterwards."""
    rows.to_csv(project.raw / "rows.csv", sep=";", index=False)
    arguments = ["--target", target, "--update", "--conf", str(project.conf), *more]
    cli.invoke(["data", "draft", str(project.raw), *arguments])
    return (project.conf / "data.yml").read_text()


def test_data_that_keeps_the_contract_changes_nothing(project, capsys) -> None:
    assert update(project, table(), "--replace") == WRITTEN
    assert "says so already" in capsys.readouterr().out


def test_what_the_data_needs_is_changed_and_all_else_stays(project, capsys) -> None:
    rows = table().drop(columns="old")
    rows.loc[0, "weight"] = 9
    rows.loc[1, "colour"] = "green"
    rows.loc[2, "colour"] = "yellow"
    rows.loc[:39, "hours"] = np.nan
    rows.loc[:9, "batch"] = np.nan
    rows.loc[3, "made"] = "2025-02-01"
    rows["length"] = np.random.default_rng(1).normal(50, 5, ROWS).round(1)
    rows["serial_id"] = [f"s{n}" for n in range(ROWS)]
    written = update(project, rows, "--replace")
    expected = WRITTEN.replace("max: 5,", "max: 13,")
    expected = expected.replace(
        "- blue  # the second\n", "- blue  # the second\n      - green\n      - yellow\n"
    )
    expected = expected.replace("missing: 0.1", "missing: 0.35")
    expected = expected.replace("max: 2024-12-31", "max: 2025-02-01")
    expected = expected.replace("role: ignored}", "role: ignored, missing: 0.13}")
    expected = expected.replace(
        "  old: {kind: number, about: not measured since May}  # goes away\n", ""
    )
    new = [line for line in written.splitlines() if line.startswith(("  length", "  serial"))]
    assert [line.partition(":")[0] for line in new] == ["  length", "  serial_id"]
    assert "role: id" in new[1]
    rest = written.replace("".join(f"{line}\n" for line in new), "")
    assert rest == expected
    assert written.index(new[0]) < written.index("# The end.")
    said = capsys.readouterr().out
    assert "-  weight: {kind: number, min: 1, max: 5, about: kilograms}  # never below 1" in said
    assert "+  weight: {kind: number, min: 1, max: 13, about: kilograms}  # never below 1" in said
    assert "CAREFUL  `old`: is no longer in the data, and leaves the contract" in said
    assert "length     number  feature" in said
    found = project_contract(project)
    assert found.check(rows) == []


def project_contract(project: Workspace):
    from mlops_platform.data.contract import load_contract  # noqa: PLC0415

    return load_contract(project.conf / "data.yml", "regression")


def heavy() -> pd.DataFrame:
    return table(weight=[9.0, *table()["weight"][1:]])


def test_other_files_stay_and_nothing_is_written_unasked(project, capsys) -> None:
    before = {path.name: path.read_bytes() for path in project.conf.iterdir()}
    update(project, heavy())
    assert {path.name: path.read_bytes() for path in project.conf.iterdir()} == before
    said = " ".join(capsys.readouterr().out.split())
    assert "is as before: --replace changes conf/data.yml" in said
    assert "max: 13" in said
    update(project, heavy(), "--replace")
    after = {path.name: path.read_bytes() for path in project.conf.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"data.yml"}


def test_what_the_update_cannot_decide_is_said_and_not_written(project, capsys) -> None:
    rows = table(hours=[1.5, *table()["hours"][1:]])
    rows["batch"] = rows["batch"].astype(object)
    rows["colour"] = ["write to anna.berg" + "@" + "firma.de", *rows["colour"][1:]]
    assert update(project, rows, "--replace") == WRITTEN
    said = capsys.readouterr().out
    assert "`hours`: 1 row violates `is a whole number`" in said
    assert "`colour`: 1 new value that looks personal is not written" in said


def test_a_new_role_does_not_replace_that_of_the_contract(project) -> None:
    rows = table(day=pd.date_range("2023-01-01", periods=ROWS).strftime("%Y-%m-%d"))
    rows["person_id"] = np.arange(ROWS) % 40
    columns = yaml.safe_load(update(project, rows, "--replace"))["columns"]
    assert columns["day"]["role"] == columns["person_id"]["role"] == "ignored"
    assert columns["made"]["role"] == "time"


@pytest.mark.parametrize(
    ("change", "target", "more", "says"),
    [
        ({"made": None}, "size", (), r"would not be valid:\n.*'time' needs a column"),
        ({"size": None}, "size", (), "the data has no such column"),
        ({}, "weight", (), "has the target `size`, which --update keeps"),
        ({}, "size", ("--task", "regression"), "leave out --task and --url"),
    ],
)
def test_an_update_that_cannot_be_is_refused_and_leaves_the_contract(
    project, change, target, more, says
) -> None:
    rows = table().drop(columns=list(change))
    with pytest.raises(UsageError, match=says):
        update(project, rows, "--replace", *more, target=target)
    assert (project.conf / "data.yml").read_text() == WRITTEN


def test_a_contract_with_anchors_is_left_alone(project) -> None:
    text = WRITTEN.replace(
        "  hours: {kind: integer, min: 0, max: 100, missing: 0.1}\n",
        "  hours: &hours {kind: integer, min: 0, max: 100}\n  more: *hours\n",
    )
    (project.conf / "data.yml").write_text(text)
    rows = table(more=5, hours=table()["hours"] + 100)
    with pytest.raises(UsageError, match=r"cannot be edited.*`hours`"):
        update(project, rows, "--replace")
    assert (project.conf / "data.yml").read_text() == text


FORMS = {
    "flow": (
        "columns: {a: {kind: number, max: 1}, b: {kind: category, values: [x]}, c: {kind: text}}"
    ),
    "block": (
        "columns:\n  a:\n    kind: number\n    max: 1  # so far\n  b:\n    kind: category\n"
        "    values:\n    - x\n  c:\n    kind: text\n"
    ),
    "no line break at the end": (
        "columns:\n  c: {kind: text}\n  a: {kind: number, max: 1}\n"
        "  b: {kind: category, values: [x]}"
    ),
    "several lines": (
        "columns:\n  b: {\n    kind: category,\n    values: [\n      x\n    ]\n  }\n"
        "  c: {kind: text}  # c\n  # between\n\n  a: {max: 1, kind: number}\n\nmore: 1\n"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_way_to_write_a_contract_can_be_edited(form: str) -> None:
    changes = {
        "a": {"max": 2, "missing": 0.1},
        "b": {"values": ["x", "no", "a, b"], "missing": 0.2},
    }
    new = edits.change_columns(
        FORMS[form], changes, ["c"], {"d": "{kind: date}  # new", "'1'": "{kind: text}"}, "data.yml"
    )
    expected = yaml.safe_load(FORMS[form])
    expected["columns"] = {
        "a": {"kind": "number"} | changes["a"],
        "b": {"kind": "category"} | changes["b"],
        "d": {"kind": "date"},
        "1": {"kind": "text"},
    }
    assert yaml.safe_load(new) == expected
    comments = {line.partition("#")[2] for line in FORMS[form].splitlines() if "#" in line}
    assert all(f"#{comment}" in new for comment in comments - {" c"})
