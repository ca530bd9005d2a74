"""The page of a draft: every column with its histogram, the doubts, and no hidden values."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from mlops_platform import cli
from mlops_platform.data.source import PLAIN
from mlops_platform.draft import columns, doubts, view

from package.tests.workspaces import Workspace

ROWS = 300
MAIL = "anna.berg" + "@" + "firma.de"


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "<b>weight</b>": rng.exponential(10, ROWS).round(2),
            "day": pd.date_range("2024-01-01", periods=ROWS).astype(str),
            "colour": rng.choice(["red", "blue"], ROWS, p=[0.75, 0.25]),
            "sender": rng.choice([MAIL, "other" + "@" + "firma.de"], ROWS),
            "note": [f"it went well {n} times" for n in range(ROWS)],
            "empty": [None] * ROWS,
            "price": rng.normal(50, 5, ROWS).round(2),
        }
    )


class Page(HTMLParser):
    """The rows of the table, the bars in each, and all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[str] = []
        self.heights: list[list[float]] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count rows and bars."""
        self.tags.add(tag)
        found = dict(attrs)
        self.links += [str(found[name]) for name in ("src", "href") if name in found]
        if tag == "tr":
            self.rows.append("")
            self.heights.append([])
        if tag == "rect":
            self.heights[-1].append(float(str(found["height"])))

    def handle_data(self, data: str) -> None:
        """Collect the text of rows."""
        if self.rows:
            self.rows[-1] += f" {data.strip()}"


def page(frame: pd.DataFrame, target: str = "price") -> str:
    guesses = columns.guess(frame, PLAIN, target, "regression")
    return view.page("data/raw", guesses, doubts.find(guesses))


def test_each_column_has_a_row_and_a_histogram_of_its_values() -> None:
    frame = table()
    found = Page(page(frame))
    rows = dict(zip(frame.columns, found.rows[1:], strict=True))
    heights = dict(zip(frame.columns, found.heights[1:], strict=True))
    assert [name in row for name, row in rows.items()] == [True] * len(frame.columns)
    counts, _ = np.histogram(frame["<b>weight</b>"], view.BARS_OF_PAGE)
    assert heights["<b>weight</b>"] == pytest.approx(40 * counts / counts.max(), abs=0.051)
    red = (frame["colour"] == "red").sum()
    assert f"red: {red} rows" in rows["colour"]
    assert heights["colour"] == pytest.approx([40, 40 * (ROWS - red) / red], abs=0.051)
    assert "2024-01-01 to 2024-01-" in rows["day"]
    assert heights["note"] == heights["empty"] == []
    assert "100.0%" in rows["empty"]


def test_names_are_escaped_and_nothing_is_loaded_from_elsewhere() -> None:
    found = Page(page(table()))
    assert "b" not in found.tags
    assert found.links == ["data:,"]
    assert not re.search(r"https?://|@import|url\(", page(table()))
    assert page(table()) == page(table())


def test_personal_values_and_texts_are_not_on_the_page() -> None:
    text = page(table())
    assert MAIL not in text
    assert "it went well" not in text
    assert "`sender`" not in text  # backticks become code
    assert "<code>sender</code>" in text


def test_a_column_with_a_doubt_is_marked(regression: Workspace, capsys) -> None:
    frame = table().drop(columns=["sender", "empty", "note"])
    frame["double"] = frame["price"] * 2
    frame.to_csv(regression.raw / "rows.csv", index=False)
    conf = ["--conf", str(regression.conf)]
    cli.invoke(["data", "draft", str(regression.raw), "--target", "price", *conf])
    written = regression.root / "outputs" / "data-profile.html"
    assert f"all columns with their histograms: {written}" in capsys.readouterr().out
    marked = [row for row in Page(written.read_text("utf-8")).rows[1:] if "careful" in row]
    assert len(marked) == 1
    assert "double" in marked[0]
    assert "gives <code>price</code> alone" in written.read_text("utf-8")


def test_data_without_doubts_says_so() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=ROWS), "price": rng.normal(size=ROWS)})
    assert "Nothing was found" in page(frame)
