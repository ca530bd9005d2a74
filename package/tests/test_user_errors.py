"""Faults that people make in data files: validation and batch say where, what, and what to do."""

import gzip
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform import evidence
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data import csv_table
from mlops_platform.data.columns import Column
from mlops_platform.data.hints import suggest
from mlops_platform.models.team import Team
from mlops_platform.serving import store
from mlops_platform.steps import score, validate

from package.tests import models

ROWS = sample.make(600, seed=3)
TEXT = ROWS.to_csv(index=False)
HEADER, *LINES = TEXT.splitlines()
FILE = "new/credit.csv"
TWICE = "\n".join([f"{HEADER},month", *(f"{line},2024-01-01" for line in LINES), ""])

# A package whose `load` is that of the template: examples are made from it.
LOADER = """
import pandas as pd
from mlops_platform.data import csv_table


def load(path):
    return pd.concat(map(csv_table.read, sorted(path.glob("*.csv"))), ignore_index=True)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


@pytest.fixture
def project(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model and the folder `new` for a file."""
    shutil.copytree(models.conf_of("credit_risk"), tmp_path / "conf")
    (tmp_path / "new").mkdir()
    (tmp_path / "careful").mkdir()
    (tmp_path / "careful" / "__init__.py").touch()
    (tmp_path / "careful" / "data.py").write_text(LOADER)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("careful", "careful.data"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(validate.team, "load_team", lambda conf: Team("careful"))
    stored = store.StoredModel(model, "credit-risk", "3", Team("credit_risk"))
    monkeypatch.setattr(score.store, "fetch", lambda conf, version: stored)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(content: str | bytes) -> str:
    """What validation says of a file."""
    Path(FILE).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises((GateError, UsageError)) as caught:
        validate.run(Path("conf"), Path("new"), Path("validated"))
    return str(caught.value)


def batch() -> tuple[str, list[str]]:
    """What batch says of the same file: its error, and the reasons of the rejects."""
    said = ""
    try:
        score.run(Path("conf"), Path(FILE), "champion", Path("scored"), Path("scored"))
    except (GateError, UsageError) as error:
        said = str(error)
    rejects = Path("scored/rejects.csv")
    if not rejects.exists():
        return said, []
    rows = pd.read_csv(rejects, keep_default_na=False)
    return said, [
        f"line {line} {reason}" for line, reason in zip(rows.line, rows.reason, strict=True)
    ]


def every(change: Callable[[str], str]) -> str:
    """The file with a change in each row below the header."""
    return "\n".join([HEADER, *map(change, LINES), ""])


def column(name: str, change: Callable[[str], str]) -> str:
    """The file with a change in each value of a column."""
    return ROWS.assign(**{name: ROWS[name].map(lambda value: change(str(value)))}).to_csv(
        index=False
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("", ": has no header. Write the column names in the first line.", id="empty"),
        pytest.param("\n\n", ": has no header. Write", id="blank"),
        pytest.param(
            TEXT.replace(",", ";"), ", line 1: the columns are separated by ';'. Write", id=";"
        ),
        pytest.param(
            TEXT.replace(",", "\t"), ", line 1: the columns are separated by '\\t'", id="tab"
        ),
        pytest.param(TEXT.replace(",", "|"), ", line 1: the columns are separated by '|'", id="|"),
        pytest.param(TEXT.encode("utf-16"), ", line 1: is not UTF-8 text, but", id="utf-16"),
        pytest.param(TEXT.encode("utf-16-le"), ", line 1: is not UTF-8 text, but", id="no BOM"),
        pytest.param(
            gzip.compress(b"a"), ", line 1: is compressed. Write `compression: gzip`", id="gzip"
        ),
        pytest.param(b"PK\x03\x04 xlsx", ", line 1: is a workbook or a zip file", id="xlsx"),
        pytest.param('[{"a": 1}]', ", line 1: is JSON, HTML or XML. Save", id="json"),
        pytest.param("<!DOCTYPE html>", ", line 1: is JSON, HTML or XML. Save", id="html"),
        pytest.param(f"sep=,\n{TEXT}", ", line 1: begins with `sep=`, which is for", id="sep"),
        pytest.param(
            TWICE,
            ", line 1: column `month`: appears 2 times, as column 2 and 12. Rename or rem",
            id="twice",
        ),
        pytest.param(
            TEXT.replace("\n", ",\n"), ", line 1: column 12 has no name. Write one, or", id="comma"
        ),
        pytest.param(ROWS.to_csv(), ", line 1: column 1 has no name. Write one", id="index"),
        pytest.param(
            TEXT.replace("\n", "\r"), ", line 1: is not valid CSV: save it with", id="mac"
        ),
        pytest.param('"a,b\n', ", line 1: is not valid CSV: a quotation mark opens", id="quote"),
    ],
)
def test_a_file_or_header_that_is_no_csv(project: Path, content: str | bytes, says: str) -> None:
    assert refused(content).startswith(f"{FILE}{says}")
    assert batch()[0].startswith(f"{FILE}{says}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda line: f"{line},", "remove the ',' at its end", id="comma at the end"),
        pytest.param(
            lambda line: line.replace("0.", "0,", 1),
            "put a value with a ',' in quotes, or write numbers with a point",
            id="decimal comma",
        ),
        pytest.param(
            lambda line: line.rpartition(",")[0], "write a ',' also for an empty field", id="short"
        ),
    ],
)
def test_rows_of_another_width_are_never_moved_by_a_column(
    project: Path, change: Callable[[str], str], says: str
) -> None:
    said = refused(every(change))
    assert said.startswith(f"{FILE}: every row has 1")
    assert f"the header in line 1 has 11. Of each row, {says}; or name every column" in said
    said, reasons = batch()
    assert said.startswith(f"{FILE}: all 600 rows violate the contract")
    assert len(reasons) == 600
    assert reasons[0].startswith("line 2 has 1")
    assert reasons[0].endswith(f"the header has 11; {says}")

    lines = [HEADER, *LINES]
    lines[7], lines[9] = change(lines[7]), change(lines[9])
    told = refused("\n".join(lines)).splitlines()
    assert told[0] == f"{FILE}: 2 rows cannot be read:"
    assert [line.strip() for line in told[1:]] == batch()[1]
    assert told[1].startswith("  line 8 has 1")
    assert told[2].startswith("  line 10 has 1")


def test_many_faulty_rows_are_counted_and_the_first_shown(project: Path) -> None:
    told = refused("\n".join([HEADER, *LINES[:10], *(f"{line},x" for line in LINES[10:]), ""]))
    assert told.splitlines()[0] == f"{FILE}: 590 rows cannot be read:"
    assert told.splitlines()[1].startswith("  line 12 has 12 fields, the header has 11; ")
    assert told.splitlines()[-1] == "  and 585 more"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (LINES[0].encode() + b"\xe9", "is not UTF-8 text; save the file as UTF-8"),
        (
            LINES[0].replace("female", '"fe"male').replace("-49", '-"49"').encode(),
            "is not valid CSV: ",
        ),
    ],
)
def test_a_row_that_is_no_text_or_csv_has_its_line(project: Path, bad: bytes, says: str) -> None:
    bad = bad.replace(b"2024", b'"20"24') if b'"' not in bad and b"\xe9" not in bad else bad
    rows = [HEADER.encode(), *(line.encode() for line in LINES[1:5]), bad, LINES[6].encode()]
    assert f"  line 6 {says}" in refused(b"\n".join(rows))
    assert batch()[1][-1].startswith(f"line 6 {says}")


@pytest.mark.parametrize("end", ["", "\ufeff"])
def test_a_byte_order_mark_and_windows_lines_are_read(project: Path, end: str) -> None:
    Path(FILE).write_bytes(f"{end}{TEXT}".replace("\n", "\r\n").encode())
    validate.run(Path("conf"), Path("new"), Path("validated"))
    made = evidence.read(evidence.Validation, Path("validated/validation.json"))
    assert (made.rows, made.findings) == (600, [])
    assert batch() == ("", [])


def test_an_open_quotation_mark_is_found_at_the_end(project: Path) -> None:
    rows = [HEADER, *LINES[:5], f'"{LINES[5]}', *LINES[6:], ""]
    reason = "lines 7 to 601: is not valid CSV: a quotation mark opens a value and none closes it"
    assert reason in refused("\n".join(rows))
    assert batch()[1] == [f"line 601 {reason}"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(
            f"{HEADER}\n", "column `(file)`: 0 rows, at least 500 are needed", id="header"
        ),
        pytest.param(
            TEXT.partition("\n")[2],
            "column `(file)`: no column of conf/data.yml is there, but `L003-000000`, ",
            id="no header",
        ),
        pytest.param(
            TEXT.replace("income", "Income "),
            "column `Income `: is `income` but for spaces or capital letters: rename it",
            id="capitals",
        ),
        pytest.param(
            ROWS.assign(outcome="repaid").to_csv(index=False),
            "column `outcome`: is 'repaid' in every row: there is nothing to learn",
            id="one class",
        ),
        pytest.param(
            column("debt_ratio", lambda value: value.replace(".", ",")),
            "column `debt_ratio`: 600 rows violate `is a number`; the first is row 1 with '0,171'; "
            "write numbers with a point, not a comma",
            id="quoted decimal comma",
        ),
        pytest.param(
            column("month", lambda value: "31.12.2024"), "; write a date as 2024-12-31", id="dates"
        ),
    ],
)
def test_rows_that_violate_the_contract(project: Path, content: str, says: str) -> None:
    said = refused(content)
    assert says in said
    assert "the column is missing" not in said
    assert "values are missing" not in said


def test_batch_rejects_say_what_to_write_without_the_value(project: Path) -> None:
    refused(column("debt_ratio", lambda value: value.replace(".", ",")))
    assert batch()[1][0] == (
        "line 2 violates `is a number`; write numbers with a point, not a comma, or write "
        '`decimal: ","` in `source:` of conf/data.yml'
    )


NUMBER = Column(kind="number")
CATEGORY = Column(kind="category", values=["own", "NA"])


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (NUMBER, "1,5", "with a point, not a comma"),
        (NUMBER, "1.234,5", "nothing between thousands"),
        (NUMBER, "1,234,567.8", "nothing between thousands"),
        (NUMBER, "6 147", "nothing between thousands"),
        (NUMBER, "17.1%", "without a unit"),
        (NUMBER, "EUR 5", "without a unit"),
        (NUMBER, "n/a", "leave the field of a missing value empty"),
        (NUMBER, "many", ""),
        (NUMBER, "-5", ""),
        (CATEGORY, "own ", "remove the spaces around it"),
        (CATEGORY, "OWN", "small and capital letters"),
        (CATEGORY, "NA", ""),
        (CATEGORY, "boat", ""),
        (Column(kind="date", role="time"), "1/2/24", "2024-12-31"),
        (Column(kind="date", role="time"), "45000", "2024-12-31"),
        (Column(kind="date", role="time"), "2024-13-01", ""),
        (Column(kind="text", role="ignored"), "x", ""),
    ],
)
def test_hints(column: Column, value: str, says: str) -> None:
    assert says in suggest(column, value)
    assert bool(says) == bool(suggest(column, value))


def test_another_separator_is_read_where_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b\n1,5;\n")
    assert csv_table.read(path, ";").to_dict("list") == {
        "a": ["1,5"],
        "b": [pytest.approx(float("nan"), nan_ok=True)],
    }
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"separated by ','\. .*or save the file with ';'"):
        csv_table.read(path, ";")


@pytest.mark.parametrize(
    "returned",
    [
        "pandas.DataFrame({'age': [1]}, index=['L1'])",
        "pandas.DataFrame({'age': [1]}, index=pandas.Index([7], name='loan_id'))",
        "pandas.read_csv(io.StringIO('loan_id,age\\nL1,30,\\n'))",
    ],
)
def test_an_index_that_holds_a_column_is_not_lost(project: Path, returned: str) -> None:
    code = f"import io\nimport pandas\ndef load(path):\n    return {returned}\n"
    Path("careful/data.py").write_text(code)
    assert "Return it as a column: `reset_index()`" in refused(TEXT)


def test_what_pandas_calls_a_second_column_is_told_as_what_it_is(project: Path) -> None:
    code = "import pandas\ndef load(path):\n    return pandas.read_csv(path / 'credit.csv')\n"
    Path("careful/data.py").write_text(code)
    said = refused(TWICE)
    assert "column `month`: is twice in the header (pandas calls the second `month.1`)" in said
    said = refused(TEXT.replace("\n", ",\n"))
    assert "column `Unnamed: 11`: has no name in the header: write one, or remove" in said
