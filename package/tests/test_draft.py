"""`mlops data draft`: settings that fit the data, for three kinds of tables and many forms."""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mlops_platform import cli, settings
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import UsageError
from mlops_platform.data import reader
from mlops_platform.data.contract import load_contract
from mlops_platform.draft import files, sniff
from mlops_platform.ethics import config as ethics_config
from mlops_platform.evaluation.metrics import METRICS

from package.tests import workspaces
from package.tests.workspaces import Workspace

ROWS = 600
TYPES = ["data.yml", "ethics.yml", "gates.yml", "train.yml"]


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """A project for classes, with the sample's settings and no data."""
    made = workspaces.make(tmp_path / "project")
    for file in made.raw.iterdir():
        file.unlink()
    return made


def draft(project: Workspace, target: str, *more: str) -> None:
    """Draft the settings from the raw data of a project."""
    conf = ["--conf", str(project.conf)]
    cli.invoke(["data", "draft", str(project.raw), "--target", target, *conf, *more])


def drafted(project: Workspace) -> dict[str, dict[str, object]]:
    """The columns of the contract; reading it checks it, and it must allow the data it is of."""
    contract = load_contract(project.conf / "data.yml", settings.load_project(project.conf).task)
    rows = reader.read(project.raw, contract.source)
    if contract.rows_without_target == "drop":
        rows = rows.dropna(subset=[contract.target])
    assert contract.check(rows) == []
    columns: dict[str, dict[str, object]] = yaml.safe_load(
        (project.conf / "data.yml").read_text(encoding="utf-8")
    )["columns"]
    return columns


def test_the_sample_with_semicolons_and_decimal_commas_trains(project: Workspace) -> None:
    rows = workspaces.sample.make(ROWS, seed=0)
    rows.to_csv(project.raw / "credit.csv", sep=";", decimal=",", index=False)
    project.change("train.yml", split={"by": "random", "validation": 0.2, "test": 0.2})
    draft(project, "outcome", "--replace")
    columns = drafted(project)
    roles = {name: column.get("role", "feature") for name, column in columns.items()}
    assert roles == {
        "loan_id": "id",
        "month": "time",
        "sex": "sensitive",
        "age": "sensitive",
        "income": "feature",
        "debt_ratio": "feature",
        "years_employed": "feature",
        "late_payments": "feature",
        "housing": "feature",
        "purpose": "feature",
        "outcome": "target",
    }
    assert columns["income"]["kind"] == "number"
    assert columns["outcome"]["positive"] == "defaulted"
    assert settings.load_train(project.conf).split.by == "time"
    assert project.contract.source == sniff.Source(separator=";", decimal=",")
    project.pipeline()
    assert project.roles() == {"1": "challenger"}


def codes(rows: int = ROWS) -> pd.DataFrame:
    """Texts and numbers that are codes, with gaps, and three classes; no id, time or person."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "branch": rng.choice(["001", "002", "010"], rows),
            "status": rng.choice(["A11", "A12", "no", "1:30"], rows),
            "steps": rng.choice([10.0, 20.0, 50.0], rows),
            "score": rng.normal(50, 10, rows).round(1),
        }
    )
    frame["class"] = np.where(frame["score"] > 55, 3, np.where(frame["steps"] > 15, 2, 1))
    for name in ("branch", "status", "steps"):
        frame.loc[rng.random(rows) < 0.1, name] = np.nan
    return frame


def test_a_table_of_codes_with_gaps_trains(project: Workspace) -> None:
    codes().to_csv(project.raw / "codes.csv", index=False, na_rep="NA")
    draft(project, "class", "--replace")
    columns = drafted(project)
    assert columns["branch"]["values"] == ["001", "002", "010"]
    assert columns["status"]["values"] == ["1:30", "A11", "A12", "no"]
    assert columns["steps"]["kind"] == "integer"
    assert columns["class"] == {"kind": "category", "values": ["1", "2", "3"], "role": "target"}
    assert 0.1 < float(str(columns["branch"]["missing"])) < 0.3
    assert project.contract.source.missing == ["NA"]
    assert settings.load_train(project.conf).split.by == "random"
    config = ethics_config.load(project.conf, settings.load_project(project.conf))
    asked = {check.measure for check in config.metrics}
    assert not asked & (files.NEED_SENSITIVE | files.NEED_ID)
    assert "broken_rules" in asked
    project.pipeline(until="evaluate")


def wide(rows: int = ROWS) -> pd.DataFrame:
    """A target between 0 and 4, dates that are not ISO, 40 numbers, and gaps in the target."""
    rng = np.random.default_rng(1)
    days = pd.date_range("2023-01-01", periods=rows // 3, freq="D").repeat(3)
    frame = pd.DataFrame(rng.normal(size=(rows, 40)), columns=[f"x {n}" for n in range(40)])
    frame.insert(0, "day", days.strftime("%d/%m/%Y"))
    frame["size"] = (2 + np.tanh(frame["x 0"]) + rng.normal(0, 0.2, rows)).round(3)
    frame.loc[:4, "size"] = np.nan
    return frame


def test_a_wide_regression_with_dates_trains_and_a_constant_meets_no_limit(
    regression: Workspace,
) -> None:
    wide().to_csv(regression.raw / "wide.csv.gz", index=False, encoding="utf-16")
    draft(regression, "size", "--replace")
    problems = settings_check.find_problems(regression.conf)
    assert [line for line in problems if "Python finds first" not in line] == []  # the example's
    columns = drafted(regression)
    contract = load_contract(regression.conf / "data.yml", "regression")
    assert columns["day"] == {"kind": "date", "role": "time"}
    assert contract.source.date_format == "%d/%m/%Y"
    assert contract.source.encoding == "utf-16"
    assert contract.rows_without_target == "drop"
    truth = wide()["size"].dropna().to_numpy()
    constant = np.full(len(truth), np.median(truth))
    gates = settings.load_gates(regression.conf)
    for limit in gates.quality:
        value = METRICS[limit.metric].compute(truth, constant)
        assert value < limit.min if limit.min is not None else value > (limit.max or 0)
    assert 0 < gates.margin < METRICS["mae"].compute(truth, constant) / 100
    assert 0 < gates.guardrails.worst_group_drop < 0.1
    config = ethics_config.load(regression.conf, settings.load_project(regression.conf))
    noise = next(check for check in config.metrics if check.measure == "loss_under_noise")
    assert noise.max is not None
    assert noise.max < 0.1
    regression.pipeline(until="prepare")


def test_nothing_is_replaced_unasked_and_the_files_are_named(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    codes().to_csv(project.raw / "codes.csv", index=False)
    before = {path.name: path.read_bytes() for path in project.conf.iterdir()}
    draft(project, "class")
    named = "--replace changes conf/data.yml, conf/train.yml, conf/gates.yml"
    assert f"{project.conf} is as before: {named}" in " ".join(capsys.readouterr().out.split())
    assert {path.name: path.read_bytes() for path in project.conf.iterdir()} == before


@pytest.mark.parametrize("azure", [True, False])
def test_the_next_commands_are_named(
    project: Workspace, capsys: pytest.CaptureFixture[str], azure: bool
) -> None:
    shutil.rmtree(project.root / "azureml", ignore_errors=True)
    if azure:
        (project.root / "azureml").mkdir()
    codes().to_csv(project.raw / "codes.csv", index=False)
    draft(project, "class", "--replace")
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.endswith("uv run poe pipeline")
    assert ("uv run poe azure-render, " in printed) == azure


@pytest.mark.parametrize(("names", "kept"), [(["sex"], False), (["sex", "race"], True)])
def test_pairs_of_groups_are_checked_where_there_are_two_sensitive_columns(
    project: Workspace, names: list[str], kept: bool
) -> None:
    rows = codes()
    for name in names:
        rows[name] = np.random.default_rng(len(name)).choice(["a", "b"], len(rows))
    rows.to_csv(project.raw / "codes.csv", index=False)
    draft(project, "class", "--replace")
    config = ethics_config.load(project.conf, settings.load_project(project.conf))
    asked = {check.id for check in config.metrics}
    assert ("where-groups-meet" in asked) == kept
    assert "quality-of-service" in asked


@pytest.mark.parametrize("given", [("class", "--target", "score"), ("class,score",)])
def test_several_targets_are_several_projects(project: Workspace, given: tuple[str, ...]) -> None:
    codes().to_csv(project.raw / "codes.csv", index=False)
    with pytest.raises(UsageError, match=r"predicts one column, and class and score are 2. Make a"):
        draft(project, *given)


def test_the_same_data_twice_changes_nothing(project: Workspace) -> None:
    codes().to_csv(project.raw / "codes.csv", index=False)
    draft(project, "class", "--replace")
    before = {path.name: path.read_bytes() for path in project.conf.iterdir()}
    draft(project, "class")
    assert {path.name: path.read_bytes() for path in project.conf.iterdir()} == before


def test_all_files_are_written_or_none(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in project.conf.iterdir()}
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "data.yml":  # the last one that is moved to its place
            raise OSError("full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="full"):
        files.write(project.conf, {"data.yml": "a: 1\n", "gates.yml": "b: 1\n"})
    assert {path.name: path.read_bytes() for path in project.conf.iterdir()} == before


def test_a_draft_that_would_not_be_valid_is_not_written(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes().to_csv(project.raw / "codes.csv", index=False)
    before = {path.name: path.read_bytes() for path in project.conf.iterdir()}
    monkeypatch.setattr(files, "split_by", lambda guesses: "weather")
    with pytest.raises(UsageError, match=r"would not be valid:\n.*train.yml.*split.by"):
        draft(project, "class", "--replace")
    assert {path.name: path.read_bytes() for path in project.conf.iterdir()} == before
    assert not list(project.root.glob(".draft-*"))


def test_comments_and_other_fields_of_the_settings_stay(regression: Workspace) -> None:
    wide().to_csv(regression.raw / "wide.csv", index=False)
    lines = {name: _lines(regression, name) for name in TYPES}
    draft(regression, "size", "--replace")
    changed = {name: [each for each in old if each not in _lines(regression, name)]
               for name, old in lines.items()}  # fmt: skip
    assert changed["train.yml"] == []
    assert changed["gates.yml"] == [
        "margin: 0.5",
        "  - {metric: r2, min: 0.6}",
        "  - {metric: mae, max: 60}",
        "  worst_group_drop: 5",
    ]
    assert not [line for line in changed["ethics.yml"] if line.lstrip().startswith("#")]


def _lines(project: Workspace, name: str) -> list[str]:
    return (project.conf / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("target", "more", "message"),
    [
        ("clas", (), "--target clas: the data has no such column. Did you mean `class`"),
        ("score", (), "classification needs 2 to 50 classes, found"),
        ("same", (), "is the same in every row"),
        ("status", ("--task", "regression"), "regression needs numbers, and it is a category"),
    ],
)
def test_a_target_that_does_not_fit_says_what_does(
    project: Workspace, target: str, more: tuple[str, ...], message: str
) -> None:
    codes().assign(same=1).to_csv(project.raw / "codes.csv", index=False)
    with pytest.raises(UsageError, match=message):
        draft(project, target, *more)


@pytest.mark.parametrize(
    ("text", "encoding", "source"),
    [
        ("a,b\n1.5,x\n", "utf-8", {}),
        ("a\tb\n1,5\tx\n2\ty\n", "utf-8", {"separator": "\t", "decimal": ","}),
        ('a;b\n1,5;"one, two; three, four"\n', "utf-8", {"separator": ";", "decimal": ","}),
        ("a|b\n1.5|é\n", "latin-1", {"separator": "|", "encoding": "cp1252"}),
        ("a,b\n31.12.2024,x\n", "utf-8", {"date_format": "%d.%m.%Y"}),
        ("a,b\n12/31/2024,x\n", "utf-8", {"date_format": "%m/%d/%Y"}),
        ("a,b\n31.12.2024 23:59,x\n", "utf-8", {"date_format": "%d.%m.%Y %H:%M"}),
        ("a,b\n1.5,x\nNA,?\n", "utf-8", {"missing": ["?", "NA"]}),
        ("a,b\n1.5,x\n2,NA\n", "utf-8", {}),  # the code of Namibia, perhaps
        ("a,b\n2024-01-31,x\n", "utf-8", {}),
    ],
)
def test_how_a_file_is_written_is_found(
    tmp_path: Path, text: str, encoding: str, source: dict[str, object]
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(text, encoding=encoding, newline="")
    assert sniff.sniff(file).source.model_dump(exclude_defaults=True) == source


def test_a_date_that_can_be_read_in_two_ways_is_a_note_in_the_contract(project: Workspace) -> None:
    frame = codes()
    frame["day"] = "03/04/2024"
    frame.loc[:300, "day"] = "05/06/2024"
    frame.loc[:100, "day"] = "07/08/2024"
    frame.to_csv(project.raw / "codes.csv", index=False)
    draft(project, "class", "--replace")
    assert "# `date_format` is a guess: %m/%d/%Y reads all dates, too" in _lines(
        project, "data.yml"
    )


def test_types_of_parquet_are_used_and_partitions_are_columns(project: Workspace) -> None:
    frame = codes()
    frame["day"] = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    for year in (2023, 2024):
        folder = project.raw / f"year={year}"
        folder.mkdir()
        frame[frame.index % 2 == year % 2].to_parquet(folder / "part.parquet", index=False)
    draft(project, "class", "--replace")
    columns = drafted(project)
    assert project.contract.source.format == "parquet"
    assert columns["day"] == {"kind": "date", "role": "time"}
    assert columns["year"]["kind"] == "integer"
    assert columns["steps"]["kind"] == "number"


def test_the_table_shows_each_column_with_its_histogram(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"n": [0] * 40 + [7] * 20 + [3.5] * 40, "y": ["a", "b"] * 50}).to_csv(
        project.raw / "table.csv", index=False
    )
    draft(project, "y", "--replace")
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["n", "number", "feature", "0", "to", "7", "█", "█", "▄"] in shown
    assert next(line for line in shown if line[:1] == ["y"])[:6] == [
        "y",
        "category",
        "target",
        "a,",
        "b",
        "██",
    ]


def test_odd_names_and_values_give_a_contract_that_allows_them(project: Workspace) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            name: rng.normal(size=ROWS)
            for name in ("self", "a: b", "#x", "no", "123", "{", "l" * 150)
        }
    )
    frame["line\nbreak"] = -1e-9
    frame.loc[0, "line\nbreak"] = -1e6
    frame["empty"] = np.nan
    frame["flag"] = rng.choice([True, False], ROWS)
    frame["quoted"] = rng.choice(['a"b', "c'd", "#e", "- f", " g ", "null", "~"], ROWS)
    frame["rate"] = [f"{value}%" for value in rng.integers(0, 100, ROWS)]
    frame["essay"] = ["long " * 100, *["short"] * (ROWS - 1)]
    frame["class"] = rng.choice(["yes", "no"], ROWS)
    frame.to_csv(project.raw / "odd.csv", index=False)
    draft(project, "class", "--replace")
    columns = drafted(project)
    assert list(columns) == list(frame.columns)
    assert columns["empty"] == {"kind": "text", "missing": 0.99, "role": "ignored"}
    assert columns["flag"]["values"] == ["False", "True"]
    assert columns["rate"] == {"kind": "text", "role": "ignored"}
    assert columns["essay"]["kind"] == "text"
    assert columns["class"]["positive"] == "yes"


def test_a_few_values_that_are_no_numbers_are_named(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = codes().astype({"score": object})
    frame.loc[7, "score"] = "inf"
    frame.to_csv(project.raw / "codes.csv", index=False)
    draft(project, "class", "--replace")
    line = "CAREFUL  `score`: 1 row violates `is a number`; the first is row 8 with 'inf'"
    assert line in capsys.readouterr().out


def test_another_task_changes_the_project_and_names_the_model(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    wide().to_csv(project.raw / "wide.csv", index=False)
    draft(project, "size", "--task", "regression", "--replace")
    assert settings.load_project(project.conf).task == "regression"
    assert settings.load_gates(project.conf).metric == "mae"
    assert "model.py must build a model for regression now" in capsys.readouterr().out


def test_a_query_needs_the_name_of_a_variable_and_is_read(
    project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / "codes.db") as database:
        codes().to_sql("codes", database, index=False)
    (project.raw / "all.sql").write_text("SELECT * FROM codes ORDER BY rowid")
    with pytest.raises(UsageError, match=r"is a query. Add `--url NAME`"):
        draft(project, "class")
    monkeypatch.setenv("CODES_URL", f"sqlite:///{tmp_path / 'codes.db'}")
    draft(project, "class", "--url", "CODES_URL", "--replace")
    assert drafted(project)["branch"]["values"] == ["001", "002", "010"]
    assert project.contract.source == sniff.Source(format="sql", url="CODES_URL")


def test_rare_positives_are_judged_by_average_precision(project: Workspace) -> None:
    frame = codes().assign(found=np.arange(ROWS) % 25 == 0)
    frame.to_csv(project.raw / "rare.csv", index=False)
    draft(project, "found", "--replace")
    gates = settings.load_gates(project.conf)
    assert gates.metric == "average_precision"
    limit = next(limit for limit in gates.quality if limit.metric == "average_precision")
    assert limit.min == 0.06  # half as much again as a constant, which has 0.04
