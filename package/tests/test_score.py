"""Scoring files: every line becomes a score or a reject with its reason."""

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform import cli, evidence
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data import csv_blocks
from mlops_platform.models.team import Team
from mlops_platform.pipelines.outputs import newest
from mlops_platform.serving import store
from mlops_platform.serving.scorer import Scorer
from mlops_platform.steps import score
from mlops_platform.tracking.registry import Registry

from package.tests import models
from package.tests.workspaces import TEAM

HEADER = "loan_id,income,debt_ratio,years_employed,late_payments,housing,purpose"
GOOD = "L1,2000,0.3,,1,rent,car"
NO_UNIT = "violates `is a number`; write the number alone, without a unit, or make the column "
NO_UNIT += "`kind: text` with `role: input` and derive the number in data.py"
NO_UTF8 = "is not UTF-8 text; save the file as UTF-8, or write `encoding: latin-1` "
NO_UTF8 += "in `source:` of conf/data.yml"
SHORT = "write a ',' also for an empty field"
LONG = "put a value with a ',' in quotes, or write numbers with a point"
INSIDE = 'write a quotation mark inside a value twice, as in "a ""b"" c"'
OPEN = "a quotation mark opens a value and none closes it"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


class Batch(NamedTuple):
    """A folder to score files in."""

    root: Path

    def write(self, *lines: str | bytes, name: str = "new.csv", end: bytes = b"\n") -> Path:
        """Write a file of these lines."""
        encoded = [line.encode() if isinstance(line, str) else line for line in lines]
        path = self.root / name
        path.write_bytes(end.join([*encoded, b""]))
        return path

    def run(self, data: Path, out: str = "out") -> evidence.BatchResult:
        """Score a file; what comes out goes into the folder `out`."""
        folder = self.root / out
        score.run(self.root / "conf", data, "champion", folder, folder)
        return evidence.read(evidence.BatchResult, folder / "batch.json")

    def scores(self, out: str = "out") -> pd.DataFrame:
        """scores.csv."""
        return pd.read_csv(self.root / out / "scores.csv")

    def rejects(self, out: str = "out") -> list[tuple]:
        """(row, line, id, column, reason) of each."""
        rejects = pd.read_csv(self.root / out / "rejects.csv", keep_default_na=False)
        assert set(rejects["file"]) <= {"new.csv"}
        return list(rejects.drop(columns="file").itertuples(index=False, name=None))

    @property
    def kept(self) -> list[Path]:
        """What lies in `.mlops/batch/`, a folder a batch that is not done."""
        folder = self.root / ".mlops" / "batch"
        return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def batch(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Batch:
    stored = store.StoredModel(model, "credit-risk", "3", TEAM)
    monkeypatch.setattr(score.store, "fetch", lambda conf, version: stored)
    (tmp_path / "conf").mkdir()
    return Batch(tmp_path)


# ---------------------------------------------------------------- scores


def test_every_row_is_scored_as_the_scorer_does(batch, model, monkeypatch):
    monkeypatch.setattr(score, "CHUNK_ROWS", 7)
    raw = sample.make(50, seed=3)
    raw.to_csv(batch.root / "new.csv", index=False)
    result = batch.run(batch.root / "new.csv")
    assert (result.rows, result.scored, result.rejected, result.resumed) == (50, 50, 0, False)
    assert (result.model, result.version) == ("credit-risk", "3")
    scorer = Scorer(model, "credit-risk", "3", TEAM)
    expected = scorer.predict(scorer.read(raw)[0])
    scores = batch.scores()
    assert scores["row"].tolist() == list(range(1, 51))
    assert scores["id"].tolist() == raw["loan_id"].tolist()
    assert scores["label"].tolist() == scorer.chosen(expected)
    assert scores[["probability_repaid", "probability_defaulted"]].to_numpy().tolist() == (
        expected.tolist()
    )
    assert set(scores["version"]) == {3} and set(scores["file"]) == {"new.csv"}
    assert batch.rejects() == []
    assert batch.kept == []


@pytest.mark.parametrize("size", [1, 4, 5, 6, 10, 1000])
def test_the_size_of_chunks_changes_nothing(batch, monkeypatch, size):
    lines = [GOOD, "L2,-1,0.3,,1,rent,car", "short", "", GOOD]
    data = batch.write(HEADER, *lines, *lines)
    batch.run(data, "reference")
    monkeypatch.setattr(score, "CHUNK_ROWS", size)
    result = batch.run(data)
    assert (result.rows, result.rejected) == (8, 4)
    for name in ("scores.csv", "rejects.csv"):
        written = (batch.root / "out" / name).read_bytes()
        assert written == (batch.root / "reference" / name).read_bytes()


def test_regression_writes_values(tmp_path, monkeypatch):
    folder = models.train("energy_demand", tmp_path / "model")
    stored = store.StoredModel(folder, "energy-demand", "1", Team("energy_demand"))
    monkeypatch.setattr(score.store, "fetch", lambda conf, version: stored)
    raw = models.module("energy_demand", "sample").make(20, seed=3)
    raw.drop(columns="reading_id").to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "conf").mkdir()
    score.run(tmp_path / "conf", tmp_path / "new.csv", "1", tmp_path, tmp_path)
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert list(scores) == ["file", "row", "id", "value", "version"]
    scorer = Scorer(*stored)
    assert scores["value"].tolist() == scorer.predict(scorer.read(raw)[0]).tolist()
    assert scores["id"].isna().all()


def test_a_folder_of_files_counts_rows_file_by_file(batch):
    batch.write(HEADER, GOOD, GOOD, name="b.csv")
    batch.write(HEADER + ",outcome", GOOD + ",", name="a.csv")
    batch.write(HEADER, name="c.csv")
    batch.write("not a table", name="notes.txt")
    assert batch.run(batch.root).rows == 3
    scores = batch.scores()
    assert list(zip(scores["file"], scores["row"], strict=True)) == [
        ("a.csv", 1),
        ("b.csv", 1),
        ("b.csv", 2),
    ]


def test_only_features_are_needed_and_only_they_are_judged(batch):
    bare = batch.write(HEADER.removeprefix("loan_id,"), GOOD.removeprefix("L1,"))
    assert batch.run(bare, "bare").scored == 1
    full = batch.write(HEADER + ",sex,month,outcome", GOOD + ",,never,?", GOOD + ",,,")
    assert batch.run(full, "full").scored == 2  # and an id may stand twice
    columns = ["probability_repaid", "probability_defaulted"]
    assert batch.scores("bare")[columns].equals(batch.scores("full")[columns].head(1))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_bytes_order_mark_line_ends_quotes_and_blank_lines(batch, end):
    data = batch.write(
        b"\xef\xbb\xbf" + HEADER.encode(), '"L,""1""",2000,0.3,,1,"rent",car', "", GOOD, end=end
    )
    assert batch.run(data).scored == 2
    assert batch.scores()["id"].tolist() == ['L,"1"', "L1"]


# ---------------------------------------------------------------- rejects


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("L2,-1,0.3,,1,rent,car", "income", "violates `at least 0.0`"),
        ("L2,2000,1.01,,1,rent,car", "debt_ratio", "violates `at most 1.0`"),
        ("L2,2000,,,1,rent,car", "debt_ratio", "violates `is not missing`"),
        ("L2,2000,inf,,1,rent,car", "debt_ratio", "violates `is a number`"),
        ("L2,2000,0.3,,1.5,rent,car", "late_payments", "violates `is a whole number`"),
        (
            "L2,4711secret,0.3,,1,rent,car",
            "income",
            NO_UNIT,
        ),
        ("L2,2000,0.3,,1,rent,4711secret", "purpose", "violates `one of car, home, study, other`"),
    ],
)
def test_a_row_that_breaks_the_contract_is_rejected(batch, line, column, reason):
    result = batch.run(batch.write(HEADER, GOOD, line, GOOD))
    assert (result.rows, result.scored, result.rejected) == (3, 2, 1)
    assert batch.rejects() == [(2, 3, "L2", column, reason)]
    assert batch.scores()["row"].tolist() == [1, 3]
    assert "4711" not in (batch.root / "out" / "rejects.csv").read_text()


def test_a_row_with_two_faults_is_one_rejected_row(batch):
    assert batch.run(batch.write(HEADER, GOOD, "L2,-1,2,,1,rent,car")).rejected == 1
    assert [reject[3] for reject in batch.rejects()] == ["income", "debt_ratio"]


@pytest.mark.parametrize(
    ("line", "reason", "last"),
    [
        ("L2,2000,0.3", f"has 3 fields, the header has 7; {SHORT}", 3),
        (GOOD + ",more", f"has 8 fields, the header has 7; {LONG}", 3),
        (GOOD + ",", "has 8 fields, the header has 7; remove the ',' at its end", 3),
        (" ", f"has 1 field, the header has 7; {SHORT}", 3),
        ('"L2"x,2000,0.3,,1,rent,car', f"is not valid CSV: {INSIDE}", 3),
        (b"L\xff2,2000,0.3,,1,rent,car", NO_UTF8, 3),
        ('"L2\n\n,1', f"lines 3 to 6: is not valid CSV: {OPEN}", 6),
        ('"L2\n\n",1', f"lines 3 to 5: has 2 fields, the header has 7; {SHORT}", 5),
    ],
)
def test_a_malformed_line_is_rejected_and_never_dropped(batch, line, reason, last):
    result = batch.run(batch.write(HEADER, GOOD, line, GOOD))
    assert result.rejected == 1
    assert batch.rejects() == [(2, last, "", "", reason)]
    assert batch.scores()["row"].tolist() == ([1] if OPEN in reason else [1, 3])


def test_a_quote_that_never_closes_does_not_swallow_the_file(batch):
    data = batch.write(HEADER, GOOD, '"L2', *[GOOD] * 20_000)
    result = batch.run(data)
    lines = sum(1 for _ in data.open()) - 1
    (reject,) = batch.rejects()
    first, last = (int(part) for part in reject[4].split(":")[0].split()[1::2])
    assert result.scored == lines - (last - first + 1)
    assert result.scored > 10_000


def test_a_batch_without_a_single_good_row_fails_and_says_why(batch):
    data = batch.write(HEADER, "L1,-1,0.3,,1,rent,car", "short")
    with pytest.raises(GateError, match="all 2 rows violate the contract of version 3"):
        batch.run(data)
    assert len(batch.rejects()) == 2
    assert len(batch.scores()) == 0
    assert evidence.read(evidence.BatchResult, batch.root / "out" / "batch.json").rejected == 2
    assert batch.kept == []


# ---------------------------------------------------------------- files that cannot be scored


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no header"),
        (b"\n", "has no header"),
        (HEADER.encode() + b"\n", "holds no row"),
        (f"{HEADER},hobby\n{GOOD},chess\n".encode(), "column `hobby`: unknown, remove it"),
        (f"{HEADER},income\n{GOOD},3\n".encode(), "column `income`: appears 2 times"),
        (b"loan_id,income\nL1,3\n", "column `purpose`: the column is missing"),
        (HEADER.replace(",", ";").encode() + b"\n1;2\n", "separated by ';'"),
        (HEADER.encode("utf-16"), "line 1: is not UTF-8 text"),
        (b"\xff" * 3_000_000, "line 1: is longer than 1000000 bytes"),
        (f"{HEADER}\n{GOOD}\r".encode() * 80_000, "line 2: is longer than 1000000 bytes"),
        (b'"loan_id"x,income\n', "line 1: is not valid CSV"),
    ],
)
def test_a_file_that_cannot_be_scored_is_named(batch, content, message):
    if content.count(HEADER.encode()) > 1:
        content = content.replace(f"\r{HEADER}\n".encode(), b"\r")
    (batch.root / "new.csv").write_bytes(content)
    with pytest.raises(UsageError) as error:
        batch.run(batch.root / "new.csv")
    assert "new.csv" in str(error.value) and message in str(error.value)
    assert not (batch.root / "out").exists()


def test_nothing_to_score(batch, tmp_path):
    with pytest.raises(UsageError, match="there is no such file or folder"):
        batch.run(batch.root / "gone.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no CSV file"):
        batch.run(tmp_path / "empty")


def test_scores_do_not_go_among_the_rows(batch):
    batch.write(HEADER, GOOD)
    with pytest.raises(UsageError, match="holds the rows to score"):
        batch.run(batch.root, out=".")
    assert not (batch.root / "scores.csv").exists()


# ---------------------------------------------------------------- interrupted, and gone on


def test_an_interrupted_batch_goes_on_and_ends_the_same(batch, monkeypatch):
    monkeypatch.setattr(score, "CHUNK_ROWS", 10)
    raw = sample.make(65, seed=3)
    raw.loc[[5, 33], "debt_ratio"] = 7
    raw.to_csv(batch.root / "new.csv", index=False)
    batch.run(batch.root / "new.csv", "uninterrupted")

    predict, scored = Scorer.predict, []

    def crash(self: Scorer, rows: pd.DataFrame) -> object:
        if len(scored) == 4:  # the scorer's own trial, and three chunks
            raise KeyboardInterrupt
        scored.append(len(rows))
        return predict(self, rows)

    monkeypatch.setattr(Scorer, "predict", crash)
    with pytest.raises(KeyboardInterrupt):
        batch.run(batch.root / "new.csv")
    assert not (batch.root / "out").exists()
    assert len(batch.kept) == 1

    scored.clear()
    monkeypatch.setattr(
        Scorer, "predict", lambda self, rows: scored.append(len(rows)) or predict(self, rows)
    )
    result = batch.run(batch.root / "new.csv")
    assert scored == [1, 9, 10, 10, 5]  # the trial, and what was not done yet
    assert (result.resumed, result.rows, result.rejected) == (True, 65, 2)
    for name in ("scores.csv", "rejects.csv"):
        written = (batch.root / "out" / name).read_bytes()
        assert written == (batch.root / "uninterrupted" / name).read_bytes()
    assert batch.kept == []


@pytest.mark.parametrize("change", ["data", "version", "model", "chunks"])
def test_chunks_of_another_batch_are_not_used(batch, model, tmp_path, monkeypatch, change):
    monkeypatch.setattr(score, "CHUNK_ROWS", 2)
    data = batch.write(HEADER, *[GOOD] * 5)
    monkeypatch.setattr(score, "_concatenate", lambda *_: 1 / 0)  # all chunks are kept
    with pytest.raises(ZeroDivisionError):
        batch.run(data)
    monkeypatch.undo()
    stored = store.StoredModel(model, "credit-risk", "4" if change == "version" else "3", TEAM)
    if change == "model":
        stored = store.StoredModel(
            models.train("credit_risk", tmp_path / "other", run_id="other"),
            "credit-risk",
            "3",
            TEAM,
        )
    monkeypatch.setattr(score.store, "fetch", lambda conf, version: stored)
    monkeypatch.setattr(score, "CHUNK_ROWS", 3 if change == "chunks" else 2)
    if change == "data":
        batch.write(HEADER, *[GOOD] * 6)
    assert not batch.run(data).resumed
    assert batch.run(data).resumed is False


def test_outputs_appear_together_or_not_at_all(batch, monkeypatch):
    data = batch.write(HEADER, GOOD)
    batch.run(data)
    before = {path.name: path.read_bytes() for path in (batch.root / "out").iterdir()}
    join = score._concatenate

    def full_disk(columns: list[str], parts: list[Path], path: Path) -> None:
        if "scores" in path.name:
            raise OSError("no space left on device")
        join(columns, parts, path)

    monkeypatch.setattr(score, "_concatenate", full_disk)
    with pytest.raises(OSError, match="no space"):
        batch.run(batch.write(HEADER, GOOD, "short"))
    assert {path.name: path.read_bytes() for path in (batch.root / "out").iterdir()} == before


def test_no_more_than_a_block_is_in_memory(tmp_path, monkeypatch):
    path = tmp_path / "many.csv"
    path.write_text("a,b\n" + "1,2\n" * 10_000)
    sizes = [len(chunk.frame) for chunk in csv_blocks.chunks(path, 4_000)]
    assert sizes == [4_000, 4_000, 2_000]
    monkeypatch.setattr(csv_blocks, "BLOCK", 4_000)
    first, *others = [chunk.size for chunk in csv_blocks.chunks(path, 4_000)]
    assert first < 20_000 < path.stat().st_size == first + sum(others)


# ---------------------------------------------------------------- the pipeline


def test_the_pipeline_scores_with_the_champion(model, tmp_path, monkeypatch, capsys):
    conf = models.project(tmp_path, model)
    pipelines = models.conf_of("credit_risk").parent / "pipelines"
    monkeypatch.chdir(tmp_path)
    sample.make(30, seed=3).to_csv(tmp_path / "new.csv", index=False)
    command = ["run", str(pipelines / "batch.yml")]
    command += ["--input", "data=new.csv", "--input", f"conf={conf}"]
    cli.invoke(command)
    run = newest(tmp_path / "outputs/batch")
    assert len(pd.read_csv(run / "score/scores/scores.csv")) == 30
    made = json.loads((run / "score/evidence/batch.json").read_text())
    assert (made["model"], made["version"], made["scored"]) == ("credit-risk", "1", 30)
    shown = capsys.readouterr().out
    assert "credit-risk version 1: 30 of 30 rows scored, 0 rejected" in shown
    assert "scores/rejects.csv" in shown

    models.add_version(conf, model)
    cli.invoke(command)
    assert "credit-risk version 2" in capsys.readouterr().out
    monkeypatch.setattr(Registry, "champion", lambda self: 1 / 0)
    to = ["--scores", "by-hand", "--out", "by-hand"]
    cli.invoke(["score", "--data", "new.csv", "--conf", str(conf), "--version", "1", *to])
    assert set(pd.read_csv("by-hand/scores.csv")["version"]) == {1}


def test_a_project_without_the_batch_pipeline_says_where_it_comes_from(tmp_path, monkeypatch):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "train.yml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"There are pipelines/train\.yml\..*serving=both"):
        cli.invoke(["run", "pipelines/batch.yml"])
