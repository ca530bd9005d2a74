"""One reader: CSV in many forms, Parquet, partitions and databases give the same rows."""

import bz2
import gzip
import lzma
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from mlops_platform.core.errors import UsageError
from mlops_platform.data import parquet_rows, reader
from mlops_platform.data.contract import Contract
from mlops_platform.data.source import Source
from mlops_platform.draft import sniff
from mlops_platform.models.rows import ContentHash
from mlops_platform.models.team import Team
from mlops_platform.settings import parse

CONTRACT = {
    "min_rows": 10,
    "columns": {
        "name": {"kind": "text"},
        "area": {"kind": "number", "missing": 0.5},
        "built": {"kind": "date", "role": "ignored", "missing": 0.5},
        "beds": {"kind": "integer", "missing": 0.5},
        "price": {"kind": "number", "role": "target"},
    },
}
TYPED = pd.DataFrame(
    {
        "name": pd.Series(["Café, big", "Süd"], dtype="str"),
        "area": [1.5, float("nan")],
        "built": pd.to_datetime(["2024-12-31", None]).astype("datetime64[us]"),
        "beds": [float("nan"), 3.0],
        "price": [10.0, 20.0],
    }
)
POINT = 'name,area,built,beds,price\n"Café, big",1.5,2024-12-31,,10\nSüd,,,3,20\n'
COMMA = "name;area;built;beds;price\nCafé, big;1,5;31.12.2024;NA;10\nSüd;?;;3;20,0\n"
GERMAN = {"separator": ";", "decimal": ",", "date_format": "%d.%m.%Y", "missing": ["NA", "?"]}


def contract_of(**source: object) -> Contract:
    return Contract.model_validate({**CONTRACT, **({"source": source} if source else {})})


def typed(path: Path, contract: Contract) -> pd.DataFrame:
    read, unreadable = contract.typed(reader.read(path, contract.source))
    assert not unreadable.to_numpy().any()
    return read


@pytest.mark.parametrize(
    ("content", "encoding", "source"),
    [
        (POINT, "utf-8", {}),
        (POINT, "utf-8-sig", {}),
        (POINT.replace("\n", "\r\n"), "utf-8", {}),
        (POINT, "latin-1", {"encoding": "latin-1"}),
        (POINT, "cp1252", {"encoding": "cp1252"}),
        (POINT, "utf-16", {"encoding": "utf-16"}),
        (COMMA, "latin-1", {**GERMAN, "encoding": "latin-1"}),
        (COMMA.replace(";", "\t"), "utf-8", {**GERMAN, "separator": "\t"}),
        (COMMA.replace(";", "|"), "utf-8", {**GERMAN, "separator": "|"}),
    ],
)
def test_the_form_of_a_csv_file_does_not_change_its_rows(tmp_path, content, encoding, source):
    (tmp_path / "a.csv").write_bytes(content.encode(encoding))
    pd.testing.assert_frame_equal(typed(tmp_path / "a.csv", contract_of(**source)), TYPED)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", lambda content: pa.compress(content, "zstd", asbytes=True)),
    ],
)
def test_a_compressed_file_is_known_by_its_suffix(tmp_path, suffix, compress):
    contract = contract_of(**GERMAN, encoding="latin-1")
    (tmp_path / f"a.csv.{suffix}").write_bytes(compress(COMMA.encode("latin-1")))
    pd.testing.assert_frame_equal(typed(tmp_path, contract), TYPED)
    (tmp_path / f"a.csv.{suffix}").rename(tmp_path / "a.csv")
    kind = {"gz": "gzip", "zst": "zstd"}.get(suffix, suffix)
    with pytest.raises(UsageError, match=f"is compressed. Write `compression: {kind}`"):
        reader.read(tmp_path, contract.source)
    named = contract_of(**GERMAN, encoding="latin-1", compression=kind)
    pd.testing.assert_frame_equal(typed(tmp_path, named), TYPED)


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_a_damaged_file_is_named(tmp_path, suffix):
    (tmp_path / f"a.csv.{suffix}").write_text(POINT)
    with pytest.raises(UsageError, match=rf"a\.csv\.{suffix}: cannot be read as .*`compression"):
        reader.read(tmp_path, Source())


def test_a_compressed_file_that_ends_too_early_is_named(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(POINT.encode() * 1000)[:-20])
    with pytest.raises(UsageError, match=r"a\.csv\.gz: cannot be read as gzip"):
        reader.read(tmp_path, Source())


def test_with_a_decimal_comma_a_point_is_no_number(tmp_path):
    (tmp_path / "a.csv").write_text(COMMA.replace("1,5", "1.500"))
    contract = contract_of(**GERMAN)
    _, unreadable = contract.typed(reader.read(tmp_path, contract.source))
    assert unreadable["area"].tolist() == [True, False]


def test_with_a_date_format_no_other_one_is_read(tmp_path):
    (tmp_path / "a.csv").write_text(COMMA.replace("31.12.2024", "2024-12-31"))
    contract = contract_of(**GERMAN)
    _, unreadable = contract.typed(reader.read(tmp_path, contract.source))
    assert unreadable["built"].tolist() == [True, False]


# ---------------------------------------------------------------- Parquet and partitions


def parquet(path: Path, rows: pd.DataFrame = TYPED) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    if "beds" in rows:
        place = table.schema.get_field_index("beds")
        table = table.set_column(place, "beds", pa.array([None, 3], pa.int64()))
    pq.write_table(table, path)


def test_parquet_keeps_its_types(tmp_path):
    parquet(tmp_path / "a.parquet")
    raw = reader.read(tmp_path, Source(format="parquet"))
    assert raw["built"].dtype.kind == "M" and raw["area"].dtype == "float64"
    pd.testing.assert_frame_equal(typed(tmp_path, contract_of(format="parquet")), TYPED)
    assert reader.read(tmp_path / "a.parquet", Source()).equals(raw)  # the suffix is enough


def test_a_large_id_beside_a_missing_one_stays_exact(tmp_path):
    large = 2**53 + 1
    pq.write_table(pa.table({"id": pa.array([large, None], pa.int64())}), tmp_path / "a.parquet")
    assert reader.read(tmp_path / "a.parquet", Source())["id"].iloc[0] == large


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_folders_of_partitions_become_columns(tmp_path, form):
    for beds, name in (("3", "S%C3%BCd"), ("__HIVE_DEFAULT_PARTITION__", "b")):
        rows = pd.DataFrame({"area": [1.5, 2.5]})
        target = tmp_path / f"beds={beds}" / f"name={name}" / f"part-0.{form}"
        target.parent.mkdir(parents=True)
        reader.write(rows, target, Source())
        (target.parent / "_SUCCESS").touch()
        (target.parent / f".part-0.{form}.crc").touch()
    raw = reader.read(tmp_path, Source(format=form))
    assert raw["name"].tolist() == ["Süd", "Süd", "b", "b"]
    beds, unreadable = contract_of().typed(raw)
    assert beds["beds"].head(2).tolist() == [3, 3] and beds["beds"].tail(2).isna().all()
    assert not unreadable.to_numpy().any()
    names = [file.name for file in reader.files(tmp_path, Source(format=form))]
    assert names[0] == f"beds=3/name=S%C3%BCd/part-0.{form}"


def test_rows_come_in_chunks_and_are_counted_on(tmp_path):
    parquet(tmp_path / "a.parquet", pd.DataFrame({"area": range(25)}))
    reader.write(pd.DataFrame({"area": range(25)}), tmp_path / "b.csv", Source())
    for name in ("a.parquet", "b.csv"):
        [file] = reader.files(tmp_path / name, Source())
        chunks = list(reader.chunks(file, Source(), 10))
        assert [list(chunk.frame.index) for chunk in chunks] == [
            [*range(1, 11)],
            [*range(11, 21)],
            [*range(21, 26)],
        ]
        assert sum(chunk.size for chunk in chunks) == pytest.approx(
            file.path.stat().st_size, rel=0.1
        )


def test_what_is_no_parquet_is_named(tmp_path):
    (tmp_path / "a.parquet").write_text("a,b\n")
    with pytest.raises(UsageError, match=r"a\.parquet: cannot be read as Parquet"):
        parquet_rows.columns(tmp_path / "a.parquet")


# ---------------------------------------------------------------- files that are not there


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.parquet", r"holds no CSV file\. It holds a\.parquet: write `format: parquet`"),
        ("old/a.csv", r"holds no CSV file\. If they are in `old`, name that folder"),
        ("notes.txt", r"holds no CSV file\.$"),
    ],
)
def test_a_folder_without_the_files_says_what_it_has(tmp_path, name, says):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=says):
        reader.files(tmp_path, Source())


def test_files_with_other_columns_are_not_joined(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("b,a\n3,4\n")
    assert reader.read(tmp_path, Source()).to_numpy().tolist() == [["1", "2"], ["4", "3"]]
    (tmp_path / "c.csv").write_text("a,c\n1,2\n")
    with pytest.raises(UsageError, match=r"c\.csv: has other columns .*: `b`, `c`"):
        reader.read(tmp_path, Source())


# ---------------------------------------------------------------- databases


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    connection = sqlite3.connect(tmp_path / "homes.db")
    connection.execute("create table homes (name text, area real, built date, beds int, price)")
    connection.execute("insert into homes values ('Café, big', 1.5, '2024-12-31', null, 10)")
    connection.execute("insert into homes values ('Süd', null, null, 3, 20)")
    connection.commit()
    connection.close()
    monkeypatch.setenv("HOMES_URL", f"sqlite:///{tmp_path / 'homes.db'}")


SQL = {"format": "sql", "url": "HOMES_URL"}


@pytest.mark.parametrize(
    "asked",
    [{"table": "homes"}, {"table": "main.homes"}, {"query": "select * from homes order by price"}],
)
def test_a_database_gives_the_same_rows(database, tmp_path, asked):
    contract = contract_of(**SQL, **asked)
    pd.testing.assert_frame_equal(typed(tmp_path / "raw", contract), TYPED)
    hashes = []
    for chunks in ([TYPED], [TYPED.head(1), TYPED.tail(1)], [TYPED.head(1)]):
        content = ContentHash(tmp_path / "raw", contract, Team("credit_risk"))
        for chunk in chunks:
            content.add(chunk)
        hashes.append(content.value())
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_query_stands_in_a_file(database, tmp_path):
    (tmp_path / "new.sql").write_text("select * from homes where price > 15")
    contract = contract_of(**SQL, table="homes")
    pd.testing.assert_series_equal(
        typed(tmp_path / "new.sql", contract)["price"], pd.Series([20.0], name="price")
    )
    assert len(reader.read(tmp_path, contract.source)) == 1  # also in a folder


@pytest.mark.parametrize(
    ("url", "asked", "says"),
    [
        (None, {"table": "homes"}, "the environment variable HOMES_URL is not set"),
        ("no url", {"table": "homes"}, "HOMES_URL holds no SQLAlchemy URL"),
        ("mystery://me:secret@host/db", {"table": "homes"}, "needs a driver that is not installed"),
        ("", {"table": "gone"}, "`table: gone` of HOMES_URL failed: no such table: gone"),
        ("", {"query": "selekt"}, "the query of HOMES_URL failed: near"),
        ("", {}, "holds no SQL file"),
    ],
)
def test_a_database_that_cannot_be_asked(  # noqa: PLR0917
    database, tmp_path, monkeypatch, url, asked, says
):
    if url is None:
        monkeypatch.delenv("HOMES_URL")
    elif url:
        monkeypatch.setenv("HOMES_URL", url)
    with pytest.raises(UsageError, match=says) as caught:
        reader.read(tmp_path, Source(**SQL, **asked))
    assert "secret" not in str(caught.value)


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PostgreSQL server of Debian's package, with the rows as a table in their own types."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), shutil.which("initdb")]
    initdb = next((Path(each) for each in found if each), None)
    if initdb is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    owner = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    if owner:  # it refuses to run as root
        shutil.chown(folder, **owner)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [initdb.with_name(program), "-D", folder / "data", *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **owner,
        )

    run("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
    url = f"postgresql+psycopg://tester@/postgres?host={folder}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "create table homes (name text, area float, built date, beds bigint, price numeric)",
            "insert into homes values ('Café, big', 1.5, '2024-12-31', null, 10)",
            "insert into homes values ('Süd', null, null, 3, 20)",
        ):
            connection.execute(sa.text(statement))
    engine.dispose()
    monkeypatch.setenv("HOMES_URL", url)
    yield
    run("pg_ctl", "stop", "-m", "immediate")
    shutil.rmtree(folder)


def test_postgresql_gives_the_same_rows_in_chunks(postgres, tmp_path):
    for asked in ({"table": "public.homes"}, {"query": "select * from homes order by price"}):
        contract = contract_of(**SQL, **asked)
        pd.testing.assert_frame_equal(typed(tmp_path, contract), TYPED)
        [file] = reader.files(tmp_path, contract.source)
        chunks = list(reader.chunks(file, contract.source, 1))
        assert [list(chunk.frame.index) for chunk in chunks] == [[1], [2]]
    with pytest.raises(UsageError, match='of HOMES_URL failed: relation "gone" does not exist'):
        reader.read(tmp_path, Source(**SQL, table="gone"))


# ---------------------------------------------------------------- the settings


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"separator": ";;"}, "`separator` must be one character"),
        ({"decimal": ","}, "`separator` and `decimal` are both a comma"),
        ({"encoding": "klingon"}, "`encoding` is not known"),
        ({"date_format": "%d.%m."}, "`date_format` must have day, month and year"),
        ({"date_format": "dd.mm.yyyy"}, "`date_format` must have day, month and year"),
        ({"format": "sql"}, "`format: sql` needs `url`"),
        ({"url": "HOMES_URL"}, "`format: sql` needs `url`, and only"),
        ({"format": "sql", "url": "postgresql://me:secret@host/db"}, "name of an environment"),
        ({**SQL, "table": "a", "query": "b"}, "one of `table` and `query`"),
        ({"table": "a"}, "need `format: sql`"),
        ({"format": "excel"}, "source.format"),
    ],
)
def test_wrong_settings_are_named_and_no_password_is_shown(source, says):
    with pytest.raises(UsageError, match=says) as caught:
        parse(Contract, {**CONTRACT, "source": source}, Path("conf/data.yml"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["homes.csv", "homes.csv.gz", "homes.parquet", "homes.sql"])
def test_a_pointer_of_git_lfs_is_no_data(tmp_path, name):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    (tmp_path / name).write_text(pointer)
    kind = reader.SUFFIXES[f".{name.split('.')[1]}"]
    url = "HOMES_URL" if kind == "sql" else None
    says = rf"{name}: is a pointer of Git LFS.*`git lfs pull`"
    with pytest.raises(UsageError, match=says):
        reader.read(tmp_path, Source(format=kind, url=url))
    with pytest.raises(UsageError, match=says):
        sniff.sniff(tmp_path, url)


def test_a_column_named_version_is_data(tmp_path):
    (tmp_path / "homes.csv").write_text("version,size\n1,2\n")
    assert list(reader.read(tmp_path, Source()).columns) == ["version", "size"]


def test_parquet_is_read_in_memory_that_does_not_grow(tmp_path):
    ids = pa.array([f"{number:040}" for number in range(200_000)], pa.string())
    file = tmp_path / "ids.parquet"
    pq.write_table(pa.table({"id": ids}), file, row_group_size=2_000, compression="none")
    before = peak = pa.total_allocated_bytes()
    for frame in parquet_rows.frames(file, 5_000):
        peak = max(peak, pa.total_allocated_bytes() - frame["id"].array.nbytes)
    assert peak - before < 2_000_000  # all rows have 9 MB
