"""The ledger keeps each prediction once, whole, without features, as long as it may."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.data import parquet_rows
from mlops_platform.data.columns import Column
from mlops_platform.truth import config, ids, ledger
from mlops_platform.truth.ledger import Ledger

from package.tests.samples import EXAMPLES

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def rows(*names: str | None, version: str = "3", period: str = "2026-11") -> pa.Table:
    scores = np.array([[0.25, 0.75]] * len(names))
    return ledger.table(list(names), scores, version=version, period=period, time=NOW)


def found(into: Ledger) -> list[tuple[str | None, str, str]]:
    """Id, version and period of all predictions."""
    columns = ["id", "version", "period"]
    return sorted(
        (tuple(row.values()) for batch in into.batches(columns) for row in batch.to_pylist()),
        key=str,
    )


@pytest.fixture
def into(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def test_a_prediction_lies_in_the_folder_of_its_version_and_period(into: Ledger) -> None:
    into.append([rows("a", "b"), rows("c", period="2026-10"), rows("d", version="4")], "first")
    names = {file.relative_to(into.folder).as_posix() for file in into.files()}
    assert names == {
        "version=3/period=2026-10/first-0.parquet",
        "version=3/period=2026-11/first-0.parquet",
        "version=4/period=2026-11/first-0.parquet",
    }
    assert found(into) == [
        ("a", "3", "2026-11"),
        ("b", "3", "2026-11"),
        ("c", "3", "2026-10"),
        ("d", "4", "2026-11"),
    ]
    batch = next(into.batches(["scores", "time", "version"]))
    assert batch.schema.field("scores").type == pa.list_(pa.float64())
    kept = batch.to_pylist()[0]
    assert (kept["scores"], kept["time"]) == ([0.25, 0.75], NOW)


@pytest.mark.parametrize("shape", [(0, 2), (0,)])
def test_no_rows_are_no_error(into: Ledger, shape: tuple[int, ...]) -> None:
    empty = ledger.table([], np.empty(shape), version="3", period=[], time=[])
    assert into.append([empty, rows("a")], "some")
    assert into.append([empty], "none")
    assert [name for name, *_ in found(into)] == ["a"]


def test_the_same_source_changes_nothing(into: Ledger) -> None:
    assert into.append([rows("a")], "same")
    before = {file: file.stat().st_mtime_ns for file in into.folder.rglob("*.parquet")}
    assert not into.append([rows("a")], "same")
    assert {file: file.stat().st_mtime_ns for file in into.folder.rglob("*.parquet")} == before
    assert into.append([rows("a")], "other")
    assert into.rows() == 2


def test_a_source_that_has_grown_replaces_what_it_gave(into: Ledger) -> None:
    into.append([rows("a")], "collected", "hash 1")
    assert into.append([rows("a", "b")], "collected", "hash 2")
    assert [name for name, *_ in found(into)] == ["a", "b"]


def test_an_interrupted_append_is_completed_by_the_same_one(
    into: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, moved = ledger.move, []

    def fail(source: Path, target: Path) -> None:
        if moved:
            raise OSError("no space left")
        moved.append(target)
        real(source, target)

    parts = [rows("a", period="2026-10"), rows("b")]
    monkeypatch.setattr(ledger, "move", fail)
    with pytest.raises(OSError, match="no space"):
        into.append(parts, "same")
    assert [name for name, *_ in found(into)] == ["a"]
    assert not list(into.folder.glob(".*"))
    monkeypatch.setattr(ledger, "move", real)
    assert into.append(parts, "same")
    assert [name for name, *_ in found(into)] == ["a", "b"]


def test_an_append_that_fails_leaves_nothing(into: Ledger) -> None:
    def broken() -> object:
        yield rows("a")
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="the source broke"):
        into.append(broken(), "same")
    assert into.rows() == 0
    assert not list(into.folder.rglob("*.parquet"))


def test_what_is_being_written_is_not_read(into: Ledger) -> None:
    into.append([rows("a")], "first")
    half = into.folder / ".append-x" / "version=3" / "period=2026-11"
    half.mkdir(parents=True)
    (half / "half-0.parquet").write_bytes(b"PAR1 half of a file")
    assert found(into) == [("a", "3", "2026-11")]


def test_a_file_is_opened_when_its_rows_are_asked_for(
    into: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in ("2026-09", "2026-10", "2026-11"):
        into.append([rows("a", period=month)], month)
    opened, real = [], parquet_rows.open_file
    monkeypatch.setattr(parquet_rows, "open_file", lambda path: opened.append(path) or real(path))
    batches = into.batches(["id"])
    for number in (1, 2, 3):  # a scanner that reads ahead would hold a gigabyte of a large ledger
        next(batches)
        assert len(opened) == number


def test_small_files_of_a_stream_become_one(into: Ledger) -> None:
    for number in range(ledger.MANY):
        into.append([rows(f"{number:02d}")])
    into.append([rows("batch")], "batch-1")
    before = found(into)
    assert into.compact() == ledger.MANY
    assert len(list(into.files())) == 2
    assert found(into) == before
    assert into.compact() == 0
    assert not into.append([rows("batch")], "batch-1")


def test_an_interrupted_compaction_is_finished_by_the_next(
    into: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(ledger.MANY):
        into.append([rows(str(number))])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda self, missing_ok=False: stop(self))
        with pytest.raises(KeyboardInterrupt):
            into.compact()
    assert into.rows() == 2 * ledger.MANY
    into.compact()
    assert into.rows() == ledger.MANY


def stop(path: Path) -> None:
    if not path.name.startswith("."):
        raise KeyboardInterrupt


def test_predictions_expire_by_when_they_were_made(into: Ledger) -> None:
    into.append([rows("old", period="2020-01")], "new")  # rows of old months, predicted today
    old = rows("x").set_column(1, "time", pa.array([NOW - timedelta(days=31)], ledger.TIME))
    into.append([old], "old")
    assert into.expire(30, NOW) == 1
    assert found(into) == [("old", "3", "2020-01")]
    assert into.expire(30, NOW + timedelta(days=31)) == 1
    assert not list(into.folder.glob("version=*"))
    assert list(into.batches(["id"])) == []


def test_a_file_with_other_columns_is_named(into: Ledger) -> None:
    into.append([rows("a")], "batch-1")
    (other,) = into.files()
    pq.write_table(pa.table({"id": ["a"], "value": [1.0]}), other)
    with pytest.raises(UsageError, match=r"is damaged \(it has no column scores, time\)"):
        list(into.batches(["id", "scores", "time"]))


@pytest.mark.parametrize("size", [0, 4, 300])
def test_a_damaged_file_is_named_and_the_others_expire(into: Ledger, size: int) -> None:
    into.append([rows("a", "b")], "batch-1")
    (damaged,) = into.files()
    damaged.write_bytes(damaged.read_bytes()[:size])
    old = rows("x", period="2020-01").set_column(
        1, "time", pa.array([NOW - timedelta(days=31)], ledger.TIME)
    )
    into.append([old], "old")
    assert into.expire(30, NOW) == 1
    with pytest.raises(
        UsageError, match=r"batch-1-0\.parquet: is damaged .* _sources/batch-1\.txt"
    ):
        found(into)
    with pytest.raises(UsageError, match=r"batch-1-0\.parquet: is damaged"):
        into.rows()
    damaged.unlink()
    (into.folder / "_sources" / "batch-1.txt").unlink()
    assert into.append([rows("a", "b")], "batch-1")
    assert len(found(into)) == 2


def test_damage_within_a_file_is_named(into: Ledger) -> None:
    into.append([rows(*(f"L{number}" for number in range(1000)))], "batch-1")
    (damaged,) = into.files()
    content = bytearray(damaged.read_bytes())
    content[4:300] = bytes(296)  # its end, which says where columns are, is whole
    damaged.write_bytes(content)
    with pytest.raises(UsageError, match=r"batch-1-0\.parquet: is damaged"):
        found(into)


def test_a_damaged_file_of_a_stream_is_named(into: Ledger) -> None:
    into.append([rows("a")])
    (damaged,) = into.files()
    damaged.write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"stream-.*\.parquet: is damaged"):
        into.compact()


def test_other_files_in_the_folder_are_not_read(into: Ledger) -> None:
    into.append([rows("a")], "first")
    (into.folder / "notes.txt").write_text("ours", encoding="utf-8")
    assert found(into) == [("a", "3", "2026-11")]


def test_several_threads_append_at_once(into: Ledger) -> None:
    def add(number: int) -> None:
        for each in range(5):
            into.append([rows(f"{number}-{each}")])

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name for name, *_ in found(into)}) == 20


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file, but a folder is needed"):
        Ledger(tmp_path / "file" / "ledger").require_writable()


def test_no_feature_is_kept(into: Ledger) -> None:
    into.append([rows("a")], "first")
    (file,) = into.files()
    assert pq.read_schema(file).names == ["id", "time", "scores"]


def test_ids_are_written_alike_in_files_requests_and_types() -> None:
    number, text = Column(kind="integer", role="id"), Column(kind="text", role="id")
    assert list(ids.as_texts(["12", 12, 12.0, "", None, "x"], number)) == [
        *["12"] * 3,
        *[None] * 3,
    ]
    assert list(ids.as_texts(["012", "a b", "", None], text)) == ["012", "a b", None, None]
    same = ids.hashed(np.array(["a", "a", "b"], object))
    assert same[0] == same[1] != same[2]
    # Another hash would forget what versions have seen.
    assert ids.hashed(np.array(["L000-000001"], object)).tolist() == [18167406585095344147]


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("9999-11", "9999-11-01", "9999-12-01"),
        ("9999-12", "9999-12-01", "9999-12-31"),  # there is no later day
        ("9999-12-31", "9999-12-31", "9999-12-31"),
        ("0001-01", "0001-01-01", "0001-02-01"),
    ],
)
def test_the_name_of_a_period_tells_its_days(period: str, start: str, end: str) -> None:
    assert config.start_of(period).isoformat() == start
    assert config.end_of(period).isoformat() == end


@pytest.mark.parametrize("span", ["day", "month"])
@pytest.mark.parametrize("day", ["0001-01-01", "2026-11-29", "9999-12-31"])
def test_every_day_has_a_period_with_an_end(day: str, span: config.Span) -> None:
    truth = config.Truth(period=span, horizon_days=3650)
    period = truth.period_of(datetime.fromisoformat(f"{day}T10:00"))
    assert period == truth.period_of(date.fromisoformat(day)) == day[: len(period)]
    assert config.start_of(period) <= date.fromisoformat(day) <= truth.known_from(period)


def test_the_rendered_settings_are_valid_and_keep_predictions() -> None:
    for name in ("credit-risk", "energy-demand"):
        truth = config.load(EXAMPLES / name / "conf")
        assert truth.endpoint
        assert truth.labels == "data/raw"
        assert truth.known_from("2026-11").isoformat() == "2026-12-31"


def test_without_the_file_the_endpoint_keeps_nothing(tmp_path: Path) -> None:
    assert not config.load(tmp_path).endpoint


def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth.yml").write_text("coverage: 80\nhorizon: 3\n", encoding="utf-8")
    with pytest.raises(UsageError) as error:
        config.load(tmp_path)
    assert "field `coverage`" in str(error.value)
    assert "field `horizon`: unknown field" in str(error.value)
