"""A masked copy of raw data has no original ids and texts, and satisfies the data contract."""

import gzip
import hashlib
import hmac
import json

import pandas as pd
import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.data import reader
from mlops_platform.data.source import PLAIN
from mlops_platform.steps import mask, tables, validate

KEY = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mask.KEY, KEY)


def run(workspace):
    """Mask the workspace's raw data; the folders of copy and evidence."""
    replica, out = workspace.root / "replica", workspace.root / "evidence"
    mask.run(workspace.conf, workspace.raw, replica, out)
    return replica, out


def files_of(folder) -> list[str]:
    """Names of all files, whole and half-written."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_ids_are_hashed_and_all_else_stays(workspace):
    replica, out = run(workspace)
    before = pd.read_csv(workspace.raw / "credit.csv", dtype=str, keep_default_na=False)
    after = pd.read_csv(replica / "credit.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(after.drop(columns="loan_id"), before.drop(columns="loan_id"))
    assert after["loan_id"].is_unique
    first = before["loan_id"].iloc[0]
    expected = hmac.new(KEY.encode(), f"loan_id\0{first}".encode(), hashlib.sha256).hexdigest()
    assert after["loan_id"].iloc[0] == expected[:32]
    everything = (replica / "credit.csv").read_text() + (out / "masking.json").read_text()
    assert not [name for name in before["loan_id"] if name in everything]
    assert KEY not in everything
    evidence = json.loads((out / "masking.json").read_text())
    assert (evidence["rows"], evidence["left_out"]) == (len(before), 0)
    assert (evidence["hashed"], evidence["dropped"]) == (["loan_id"], [])


def test_the_copy_keeps_the_contract_and_loads_as_the_data_did(workspace):
    replica, out = run(workspace)
    validate.run(workspace.conf, replica, out)
    assert json.loads((out / "validation.json").read_text())["findings"] == []
    assert len(reader.read(replica, PLAIN)) == len(reader.read(workspace.raw, PLAIN))


def test_one_key_gives_one_hash_and_another_key_another(workspace, monkeypatch):
    first = (run(workspace)[0] / "credit.csv").read_text()
    assert (run(workspace)[0] / "credit.csv").read_text() == first
    monkeypatch.setenv(mask.KEY, KEY[::-1])
    assert (run(workspace)[0] / "credit.csv").read_text() != first


def test_tables_still_join(workspace):
    source = pd.read_csv(workspace.raw / "credit.csv", dtype=str, keep_default_na=False)
    source.iloc[::-1].to_csv(workspace.raw / "later.csv", index=False)
    replica, _ = run(workspace)
    first, later = (pd.read_csv(replica / name, dtype=str) for name in ("credit.csv", "later.csv"))
    assert list(first["loan_id"]) == list(later["loan_id"].iloc[::-1])


def test_texts_are_hashed_and_unknown_columns_dropped(workspace):
    source = pd.read_csv(workspace.raw / "credit.csv", dtype=str, keep_default_na=False)
    source["note"], source["phone"] = "Ms Miller is ill", "555-0199"
    source.loc[0, "note"] = ""
    source.to_csv(workspace.raw / "credit.csv", index=False)
    note = "  note: {kind: text, role: ignored, missing: 0.5}\n"
    contract = workspace.conf / "data.yml"
    contract.write_text(contract.read_text().replace("columns:\n", "columns:\n" + note, 1))
    replica, out = run(workspace)
    text = (replica / "credit.csv").read_text()
    assert "Miller" not in text
    assert "555-0199" not in text
    after = pd.read_csv(replica / "credit.csv", dtype=str)
    assert "phone" not in after
    assert after["note"].isna().sum() == 1
    assert json.loads((out / "masking.json").read_text())["dropped"] == ["phone"]


def test_a_row_that_cannot_be_read_is_left_out_and_counted(workspace):
    file = workspace.raw / "credit.csv"
    rows = len(file.read_text().splitlines()) - 1
    file.write_text(file.read_text() + "L-9,Ms Miller\n")
    replica, out = run(workspace)
    assert "Miller" not in (replica / "credit.csv").read_text()
    evidence = json.loads((out / "masking.json").read_text())
    assert (evidence["rows"], evidence["left_out"]) == (rows, 1)


def test_a_whole_number_stays_one(workspace):
    source = pd.read_csv(workspace.raw / "credit.csv", dtype=str, keep_default_na=False)
    source["loan_id"] = range(100, 100 + len(source))
    source.to_csv(workspace.raw / "credit.csv", index=False)
    contract = workspace.conf / "data.yml"
    written = contract.read_text()
    contract.write_text(written.replace("loan_id:\n    kind: text", "loan_id:\n    kind: integer"))
    assert contract.read_text() != written
    replica, out = run(workspace)
    validate.run(workspace.conf, replica, out)
    ids = pd.read_csv(replica / "credit.csv")["loan_id"]
    assert ids.is_unique
    assert not set(ids) & set(source["loan_id"])


def without_key(workspace, monkeypatch):
    monkeypatch.delenv(mask.KEY)


def short_key(workspace, monkeypatch):
    monkeypatch.setenv(mask.KEY, "secret")


def no_id(workspace, monkeypatch):
    rows = pd.read_csv(workspace.raw / "credit.csv", dtype=str, keep_default_na=False)
    rows.rename(columns={"loan_id": "LoanID"}).to_csv(workspace.raw / "zz.csv", index=False)


def another_kind(workspace, monkeypatch):
    (workspace.raw / "zz.xlsx").write_bytes(b"PK")


def compressed(workspace, monkeypatch):
    (workspace.raw / "zz.csv.gz").write_bytes(gzip.compress(b"loan_id\n1\n"))


def compressed_by_settings(workspace, monkeypatch):
    workspace.change("data.yml", source={"compression": "gzip"})


def bounded(workspace, monkeypatch):
    contract = workspace.conf / "data.yml"
    written = contract.read_text()
    contract.write_text(
        written.replace("loan_id:\n    kind: text", "loan_id:\n    kind: integer\n    max: 999999")
    )


@pytest.mark.parametrize(
    ("break_input", "message"),
    [
        (without_key, "MLOPS_MASK_KEY: needs a key"),
        (short_key, "MLOPS_MASK_KEY: needs a key"),
        (no_id, "zz.csv: has no column `loan_id`"),
        (another_kind, "zz.xlsx: is not a CSV file; only those can be masked"),
        (compressed, "zz.csv.gz: is compressed. Decompress it first, for example with `gunzip`"),
        (compressed_by_settings, "credit.csv: is compressed. .* and write no `compression`"),
        (bounded, "field `columns.loan_id`: an id of this kind or range cannot be hashed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_masked_is_refused_and_nothing_is_written(
    workspace, monkeypatch, break_input, message
):
    break_input(workspace, monkeypatch)
    with pytest.raises(UsageError, match=message) as refused:
        run(workspace)
    assert "secret" not in str(refused.value)
    assert files_of(workspace.root / "replica") == []
    assert files_of(workspace.root / "evidence") == []


def test_production_is_never_overwritten(workspace):
    before = (workspace.raw / "credit.csv").read_bytes()
    with pytest.raises(UsageError, match="is the raw data itself"):
        mask.run(workspace.conf, workspace.raw, workspace.raw, workspace.root / "evidence")
    assert (workspace.raw / "credit.csv").read_bytes() == before


def test_tables_hold_the_divided_rows(trained, tmp_path):
    tables.run(trained.conf, trained.data, tmp_path / "train", tmp_path / "test")
    for part in ("train", "test"):
        assert files_of(tmp_path / part) == ["MLTable", f"{part}.parquet"]
        written = (tmp_path / part / f"{part}.parquet").read_bytes()
        assert written == (trained.data / f"{part}.parquet").read_bytes()
        assert f"file: ./{part}.parquet" in (tmp_path / part / "MLTable").read_text()
    with pytest.raises(UsageError, match="Run the step `prepare` first"):
        tables.run(trained.conf, tmp_path / "nowhere", tmp_path / "a", tmp_path / "b")
