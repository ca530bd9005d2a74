"""Data is read, judged and divided in chunks; nothing depends on where a chunk ends."""

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlops_platform.core.errors import UsageError
from mlops_platform.data import check, csv_blocks, csv_rows, csv_table, reader, values
from mlops_platform.data.columns import Column
from mlops_platform.data.source import Source
from mlops_platform.monitoring import counts, reference
from mlops_platform.steps import prepare
from scipy import stats

from package.tests import defects, workspaces

CELLS = ["1", "a b", "", '""', '"a,b"', '"a""b"', '"x\ny"', '"x\r\ny"', "é", "NA", '"NA"', "  "]
FAULTS = ['a"b', '"a"b', ' "q"', '"', "a\rb", "\x00", "1,2"]
ANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
lines = st.tuples(st.sampled_from([*CELLS * 3, *FAULTS]), st.sampled_from(CELLS)).map(",".join)
files = st.tuples(st.lists(lines, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
    lambda drawn: drawn[1].join(["a,b", *drawn[0]]) + drawn[1] * drawn[2]
)


def all_of(chunks: Any) -> Any:
    """Rows with their numbers and lines, and malformed ones; or the message of the error."""
    frames, numbers, malformed = [], [], []
    try:
        for frame, where, wrong in chunks:
            frames.append(frame)
            numbers += list(where)
            malformed += wrong
    except UsageError as error:
        return str(error)
    rows = pd.concat(frames).reset_index().to_csv() if any(map(len, frames)) else ""
    return rows, numbers, malformed


@ANY
@given(
    text=files,
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    block=st.sampled_from([8, 30, 1000]),
    size=st.sampled_from([1, 3, 100]),
)
def test_blocks_are_read_as_the_csv_module_reads_rows(tmp_path, text, encoding, block, size):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    source = Source(encoding=encoding, missing=["NA"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK", block)
        read = all_of(
            (chunk.frame, chunk.lines, chunk.malformed)
            for chunk in csv_blocks.chunks(path, size, source)
        )
    names = ["a", "b"]
    expected = all_of(
        (part.frame(names, source), part.lines, part.malformed)
        for part in csv_rows.chunks(path, 10_000, source)
    )
    assert read == expected


def test_plain_blocks_are_read_by_arrow(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"x, y"\n2,"""z"""\n3,\n')
    monkeypatch.setattr(csv_rows, "parse", None)
    (chunk,) = csv_blocks.chunks(path, 100)
    assert chunk.frame["b"].tolist()[:2] == ["x, y", '"z"']
    assert chunk.frame["b"].isna().tolist() == [False, False, True]
    assert chunk.lines == [2, 3, 4]


def test_rows_are_written_as_pandas_reads_them(tmp_path):
    plain = pd.DataFrame({"id": ["a", "b"], "value": [0.1, 1e-7]})
    csv_table.write_rows(plain, tmp_path / "plain.csv")
    assert '"' not in (tmp_path / "plain.csv").read_text()
    odd = pd.DataFrame({"id": ["a,b", 'c"d'], "value": [1 / 3, 2e30]})
    for frame, name in ((plain, "plain.csv"), (odd, "odd.csv")):
        csv_table.write_rows(frame, tmp_path / name)
        read = pd.read_csv(tmp_path / name, names=["id", "value"])
        pd.testing.assert_frame_equal(read, frame)


@pytest.mark.parametrize("kind", ["number", "date", "category", "text"])
def test_a_text_is_read_alike_whatever_stands_beside_it(kind):
    known = ["10", "2.0", "Bonn"] if kind == "category" else None
    column = Column(kind=kind, role="ignored", values=known, missing=0.5)  # type: ignore[arg-type]
    for source in (Source(), Source(separator=";", decimal=",", date_format="%d.%m.%Y")):
        texts = [pd.Series([text], dtype="str") for text in defects.ODD]
        alone = [values.convert(text, column, source) for text in texts]
        for dtype in ("str", object):
            together = values.convert(pd.Series(defects.ODD, dtype=dtype), column, source)
            for position, (read, unreadable) in enumerate(alone):
                pd.testing.assert_series_equal(
                    together[0].iloc[[position]].reset_index(drop=True), read
                )
                assert together[1][position] == unreadable[0]


def test_no_word_is_a_date_of_today():
    column = Column(kind="date", role="ignored", missing=0.5)
    texts = pd.Series(["now", "today", "04.05.2024"], dtype="str")
    read, unreadable = values.convert(texts, column, Source(date_format="%d.%m.%Y"))
    assert unreadable.tolist() == [True, True, False]
    assert read.iloc[2] == pd.Timestamp(2024, 5, 4)


# ---------------------------------------------------------------- verdicts


def in_chunks(frame: pd.DataFrame, size: int) -> list[list[object]]:
    """The findings of rows that come `size` at a time."""
    chunks = [frame.iloc[start : start + size] for start in range(0, len(frame), size)]
    checked = check.Check(defects.CONTRACT)
    for chunk in chunks:
        checked.add(chunk)
    return [list(found.model_dump().values()) for found in checked.findings(lambda: chunks)]


def test_every_recorded_verdict_is_the_same_in_chunks():
    recorded = defects.recorded()
    for seed in defects.SEEDS:
        frame = defects.frame(seed)
        size = random.Random(seed).choice([11, 25, defects.ROWS])
        assert in_chunks(frame, size) == recorded[str(seed)], (seed, size)
    assert sum(map(len, recorded.values())) > 400


def test_ids_with_one_hash_are_not_repeated_for_that(monkeypatch):
    monkeypatch.setattr(check, "hashes", lambda values: np.zeros(len(values), dtype=np.uint64))
    frame = defects.frame(0).assign(number=[f"n{row}" for row in range(defects.ROWS)])
    assert not [found for found in in_chunks(frame, 7) if found[1] == "is unique"]
    frame.loc[[2, 30], "number"] = "n5"
    (found,) = [found for found in in_chunks(frame, 7) if found[1] == "is unique"]
    assert found[3] == "3 rows violate `is unique`; the first is row 3 with 'n5'"


@pytest.mark.parametrize("by", ["time", "id", "random"])
def test_the_parts_do_not_depend_on_chunks(workspace: workspaces.Workspace, monkeypatch, by):
    workspace.change("train.yml", split={"by": by, "validation": 0.2, "test": 0.2})
    for out, size in (("whole", 100_000), ("pieces", 17)):
        monkeypatch.setattr(reader, "CHUNK_ROWS", size)
        prepare.run(workspace.conf, workspace.raw, workspace.root / out)
    for part in ("train", "validation", "test"):
        whole, pieces = (
            pd.read_parquet(workspace.root / out / f"{part}.parquet") for out in ("whole", "pieces")
        )
        pd.testing.assert_frame_equal(whole, pieces)


# ---------------------------------------------------------------- drift


@pytest.mark.parametrize("seed", range(5))
def test_the_distance_is_that_of_scipy(seed):
    draw = np.random.default_rng(seed)
    then = reference.describe(pd.Series(draw.normal(size=500).round(seed % 3)), "a")
    now = draw.normal(0.1, 1.2, size=300).round(seed % 3)
    counted = counts.Numbers(then)
    for part in np.array_split(now, 4):
        counted.add(*np.unique(part, return_counts=True))
    grid = np.linspace(0, 1, len(then.quantiles or []))
    sample = np.interp((np.arange(500) + 0.5) / 500, grid, then.quantiles or [])
    expected = stats.ks_2samp(now, sample, method="asymp")
    assert counted.test() == pytest.approx((expected.statistic, expected.pvalue), abs=1e-12)
