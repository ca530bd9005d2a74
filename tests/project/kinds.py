"""Kinds of data that people bring, small and seeded, and what is edited after the draft."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Kind:
    """A kind of data: how it is written into a folder, and what is done after the draft.

    `edits` change the text of files that the owner edits; each must change it. `rows` are those
    that batch scores. `variable` is the name of the one that holds the URL of a database.
    """

    name: str
    task: str
    target: str
    write: Callable[[Path], None]
    rows: int
    edits: Mapping[str, Edit] = field(default_factory=dict)
    variable: str | None = None


def replaced(*pairs: tuple[str, str]) -> Edit:
    """An edit that replaces each text by another one."""

    def edit(text: str) -> str:
        for old, new in pairs:
            assert old in text, f"{old} is not in\n{text}"
            text = text.replace(old, new)
        return text

    return edit


def with_role(column: str, role: str) -> Edit:
    """An edit of conf/data.yml that gives a drafted feature another role."""

    def edit(text: str) -> str:
        found = re.sub(rf"^(  {column}: {{.*)}}", rf"\1, role: {role}}}", text, flags=re.MULTILINE)
        assert found != text, f"{column} is not in\n{text}"
        return found

    return edit


def codes(folder: Path) -> None:
    """18 columns of codes, one value in ten missing and written NA; three classes, also codes."""
    rng = np.random.default_rng(0)
    rows = 450
    frame = pd.DataFrame(
        {f"q{n:02}": rng.choice([f"{n:02}A", f"{n:02}B"], rows) for n in range(14)}
        | {f"v{n:02}": rng.choice([1, 2, 9], rows).astype(float) for n in range(4)}
    )
    high, big = frame["q00"].eq("00A"), frame["v00"].eq(9)
    truth = np.where(high, 3, np.where(big, 2, 1))
    noisy = rng.random(rows) < 0.1
    frame["grade"] = np.where(noisy, rng.choice([1, 2, 3], rows), truth)
    for name in frame.columns.drop("grade"):
        frame.loc[rng.random(rows) < 0.1, name] = np.nan
    frame.to_csv(folder / "codes.csv", index=False, na_rep="NA")


def flights(folder: Path) -> None:
    """Flights as the airlines report them: cancelled ones without a delay, the start's delay."""
    rng = np.random.default_rng(1)
    rows = 700
    hours = pd.to_datetime("2013-01-01 05:00") + pd.to_timedelta(
        np.sort(rng.integers(0, 365 * 24, rows)), unit="h"
    )
    frame = pd.DataFrame(
        {
            "year": hours.year,
            "month": hours.month,
            "day": hours.day,
            "sched_dep_time": hours.hour * 100 + rng.integers(0, 60, rows),
            "carrier": rng.choice(["AA", "B6", "DL", "EV", "UA"], rows),
            "flight": rng.integers(1, 6000, rows),
            "tailnum": [f"N{n}" for n in rng.integers(100, 400, rows)],
            "origin": rng.choice(["EWR", "JFK", "LGA"], rows),
            "distance": rng.integers(80, 2500, rows),
            "time_hour": hours.strftime("%Y-%m-%d %H:%M:%S"),
        }
    )
    late = hours.hour * 2.5 + frame["carrier"].eq("EV") * 15 + rng.normal(0, 12, rows)
    frame["dep_delay"] = (late - 30).round()
    frame["arr_delay"] = (late - 35 + rng.normal(0, 1, rows)).round()
    cancelled = rng.random(rows) < 0.03
    frame.loc[cancelled, ["dep_delay", "arr_delay"]] = np.nan
    frame.to_csv(folder / "flights.csv", index=False)


def weather(folder: Path) -> None:
    """Stations with accents, decimal commas, dates with the day first, a file of Windows."""
    rng = np.random.default_rng(2)
    rows = 600
    frame = pd.DataFrame(
        {
            "Messzeit": pd.date_range("2021-03-01", periods=rows, freq="D").strftime("%d.%m.%Y"),
            "Station": rng.choice(["Zürich Höngg", "Genève", "Sankt Pölten", "Orléans"], rows),
            "Lufttemperatur (°C)": rng.normal(11, 8, rows).round(1),
            "Größte Böe": rng.gamma(3, 6, rows).round(1),
            "Niederschlag": rng.exponential(2, rows).round(1),
            "Feuchte %": rng.integers(20, 101, rows),
        }
    )
    cold, wet = frame["Lufttemperatur (°C)"] < 4, frame["Niederschlag"] > 2.5
    windy = frame["Größte Böe"] > 25
    names = ["Schnee", "Regen", "stürmisch", "Kälte"]
    frame["Wetter"] = np.select([cold & wet, wet, windy, cold], names, "heiter")
    seen = rng.random(rows) < 0.9  # by somebody who was there
    frame["Wetter"] = frame["Wetter"].where(seen, rng.choice([*names, "heiter"], rows))
    frame.to_csv(folder / "wetter.csv", index=False, sep=";", decimal=",", encoding="cp1252")


def texts(folder: Path) -> None:
    """What customers write, and the desk that answers it."""
    rng = np.random.default_rng(3)
    rows = 450
    words = {
        "billing": ["invoice", "refund", "charged", "payment"],
        "delivery": ["parcel", "late", "courier", "address"],
        "technical": ["crash", "login", "screen", "update"],
    }
    filler = ["please", "the", "my", "again", "hello", "I", "was", "is", "with", "since"]
    desk = rng.choice(list(words), rows)
    message = [
        " ".join(rng.permutation([*rng.choice(words[each], 2), *rng.choice(filler, 5)]))
        for each in desk
    ]
    frame = pd.DataFrame({"message": message, "length": [len(text) for text in message]})
    frame.loc[rng.random(rows) < 0.03, "message"] = np.nan
    frame["desk"] = desk
    frame.to_csv(folder / "tickets.csv", index=False)


def rare(folder: Path) -> None:
    """One payment in a hundred is a fraud."""
    rng = np.random.default_rng(4)
    rows = 4000
    frame = pd.DataFrame(
        {
            "payment_id": np.arange(rows) + 10_000,
            "amount": rng.lognormal(3, 1, rows).round(2),
            "hour": rng.integers(0, 24, rows),
            "new_device": rng.choice(["yes", "no"], rows, p=[0.2, 0.8]),
        }
    )
    risk = np.log(frame["amount"]) + 2.5 * frame["new_device"].eq("yes") + rng.normal(0, 0.6, rows)
    frame["fraud"] = (risk.rank(ascending=False) <= rows // 100).astype(int)
    frame.to_csv(folder / "payments.csv", index=False)


def series(folder: Path) -> None:
    """Daily demand, with the last days' values; the target is the demand in seven days."""
    rng = np.random.default_rng(5)
    rows = 720
    days = pd.date_range("2022-01-01", periods=rows, freq="D")
    season = 20 * np.sin(2 * np.pi * days.dayofyear / 365) + 10 * (days.dayofweek < 5)
    demand = pd.Series(100 + season + rng.normal(0, 3, rows)).round(2)
    frame = pd.DataFrame({"day": days.strftime("%Y-%m-%d"), "demand": demand})
    frame["demand_a_week_ago"] = demand.shift(7)
    frame["mean_of_a_week"] = demand.rolling(7).mean().round(2)
    frame["in_seven_days"] = demand.shift(-7)
    frame.iloc[7:].to_csv(folder / "demand.csv", index=False)


def outputs(folder: Path) -> None:
    """A table with two numbers to predict."""
    rng = np.random.default_rng(6)
    rows = 500
    frame = pd.DataFrame(
        rng.uniform(0, 10, (rows, 4)).round(2), columns=["compactness", "surface", "wall", "roof"]
    )
    frame["heating"] = (3 * frame["compactness"] + frame["wall"] + rng.normal(0, 2, rows)).round(2)
    frame["cooling"] = (2 * frame["compactness"] - frame["roof"] + rng.normal(0, 2, rows)).round(2)
    frame.to_csv(folder / "buildings.csv", index=False)


def panel(folder: Path) -> None:
    """Patients who come back, and are like themselves."""
    rng = np.random.default_rng(8)
    people, visits = 120, 5
    health = rng.normal(0, 1, people).repeat(visits)
    age = rng.integers(30, 80, people).repeat(visits)
    rows = people * visits
    frame = pd.DataFrame(
        {
            "patient_id": [f"P{n:04}" for n in range(people) for _ in range(visits)],
            "years": age,
            "pulse": (70 + 4 * health + rng.normal(0, 3, rows)).round(),
            "dose": rng.choice([5, 10, 20], rows),
        }
    )
    noise = rng.normal(0, 4, rows)
    frame["pressure"] = (100 + 0.5 * age + 6 * health - 0.3 * frame["dose"] + noise).round(1)
    frame.sample(frac=1, random_state=8).to_csv(folder / "visits.csv", index=False)


def sensors() -> pd.DataFrame:
    """Machines that fail or not, (500, 5)."""
    rng = np.random.default_rng(7)
    rows = 500
    frame = pd.DataFrame(
        {
            "serial": [f"M{n:05}" for n in range(rows)],
            "hours": rng.integers(0, 9000, rows),
            "temperature": rng.normal(60, 10, rows).round(1),
            "site": rng.choice(["north", "south", "west"], rows),
        }
    )
    risk = frame["hours"] / 3000 + frame["temperature"] / 10 + rng.normal(0, 0.7, rows)
    frame["failed"] = np.where(risk > 7.5, "failed", "fine")
    return frame


def database(folder: Path) -> None:
    """A table of SQLite beside the query that asks for it."""
    with closing(sqlite3.connect(folder.parent / "machines.db")) as store:
        sensors().to_sql("machines", store, index=False)
    query = "SELECT * FROM machines ORDER BY serial\n"
    (folder / "machines.sql").write_text(query, encoding="utf-8")


def partitions(folder: Path) -> None:
    """Parquet in a folder for each year and site."""
    frame = sensors().drop(columns="site")
    frame["built"] = pd.date_range("2020-01-01", periods=len(frame), freq="D")
    for number, site in enumerate(("north", "south", "west")):
        for year, rows in frame.iloc[number::3].groupby(frame["built"].dt.year):
            part = folder / f"year={year}" / f"site={site}"
            part.mkdir(parents=True)
            rows.to_parquet(part / "part-0.parquet", index=False)


FEWER = {  # trees, larger steps: a fit takes a third of the time
    "conf/train.yml": replaced(
        ("n_estimators: 80", "n_estimators: 20"), ("learning_rate: 0.08", "learning_rate: 0.25")
    )
}
KINDS = [
    Kind("codes", "classification", "grade", codes, 450, FEWER),
    Kind(
        "flights",
        "regression",
        "arr_delay",
        flights,
        700,
        {**FEWER, "conf/data.yml": with_role("dep_delay", "ignored")},
    ),
    Kind("weather", "classification", "Wetter", weather, 600, FEWER),
    Kind("texts", "classification", "desk", texts, 450, FEWER),
    Kind("rare", "classification", "fraud", rare, 4000),
    Kind("series", "regression", "in_seven_days", series, 713, FEWER),
    Kind(
        "outputs",
        "regression",
        "heating",
        outputs,
        500,
        {**FEWER, "conf/data.yml": with_role("cooling", "ignored")},
    ),
    Kind("database", "classification", "failed", database, 500, FEWER, variable="MACHINES_URL"),
    Kind("partitions", "classification", "failed", partitions, 500, FEWER),
    Kind("panel", "regression", "pressure", panel, 600, FEWER),
]
