"""What a draft warns of: one seeded case each, and clean data without any."""

import numpy as np
import pandas as pd
import pytest
from mlops_platform.data.source import PLAIN
from mlops_platform.draft import columns, doubts

ROWS = 400
MAIL = "anna.berg" + "@" + "firma.de"
IBAN = "DE89 3704 0044 " + "0532 0130 00"
PHONE = "+49 151 " + "2345 6789"


def clean() -> pd.DataFrame:
    """Rows in no order, of which nothing is to be said."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"c{n}" for n in range(ROWS)],
            "month": rng.choice(pd.date_range("2024-01-01", periods=12, freq="MS"), ROWS),
            "income": rng.normal(3000, 500, ROWS).round(2),
            "visits": rng.poisson(1, ROWS),
            "colour": rng.choice(["red", "green", "blue"], ROWS),
            "note": rng.choice(["all went well today", "came too late again", "no"], ROWS),
        }
    )
    frame["bought"] = np.where(frame["income"] + rng.normal(0, 500, ROWS) > 3000, "yes", "no")
    return frame


def find(frame: pd.DataFrame, target: str = "bought") -> list[str]:
    """The warnings about a table; its target decides the task."""
    task = "regression" if pd.api.types.is_numeric_dtype(frame[target]) else "classification"
    return doubts.find(columns.guess(frame, PLAIN, target, task))


def seeded(**columns: object) -> pd.DataFrame:
    """The clean data with other columns."""
    return clean().assign(**columns)


def test_clean_data_gives_no_warning() -> None:
    assert find(clean()) == []
    assert find(clean(), "income") == []


RNG = np.random.default_rng(1)
CASES = {
    "a leak": (
        seeded(paid=np.where(clean()["bought"] == "yes", 9.5, 1.5)),
        "`paid`: gives `bought` alone (ROC AUC 1.00)",
    ),
    "a leak by its gaps": (
        seeded(reason=np.where(clean()["bought"] == "yes", "wanted it", None)).assign(
            reason=lambda t: t["reason"].where(t.index % 50 != 0, "none")
        ),
        "`reason`: gives `bought` alone",
    ),
    "an id in disguise": (
        seeded(customer=RNG.permutation(10_000)[:ROWS]),
        "`customer`: all 400 whole numbers differ",
    ),
    "a date in disguise": (
        seeded(day=RNG.choice([20240131, 20240229, 20240301], ROWS)),
        "`day`: a date written as a number",
    ),
    "a near constant": (
        seeded(country=["DE"] * (ROWS - 2) + ["AT"] * 2),
        "`country`: is the same in 99.5% of the rows",
    ),
    "an e-mail address": (
        seeded(note=[f"write to {MAIL} soon", *clean()["note"][1:]]),
        "`note`: 1 value with an e-mail address",
    ),
    "a phone number and an IBAN": (
        seeded(note=[f"call {PHONE}", f"pay to {IBAN}", *clean()["note"][2:]]),
        "`note`: 2 values with a phone number and an IBAN",
    ),
    "codes": (
        seeded(region=RNG.choice([1, 2, 3, 7], ROWS)),
        "`region`: only 4 whole numbers: a code?",
    ),
    "a class with few rows": (
        seeded(bought=["perhaps"] * 4 + list(clean()["bought"][4:])),
        "`bought`: only 4 rows (1.0%) with 'perhaps'",
    ),
    "duplicates": (
        pd.concat([clean(), clean()[:3].assign(id=["d1", "d2", "d3"])], ignore_index=True),
        "and so on: 3 rows equal to an earlier one but for the id",
    ),
    "rows in order of time": (
        clean().drop(columns="month").sort_values("bought", ignore_index=True),
        "`bought`: rows beside each other are alike",
    ),
    "groups": (
        seeded(person_id=[n * 7 % 80 for n in range(ROWS)]),
        "`person_id`: 80 values in 400 rows: rows of one fall into training and test",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_people_regret_is_one_line_with_the_column(case: str) -> None:
    frame, expected = CASES[case]
    lines = find(frame)
    assert len(lines) == 1, lines
    assert expected in lines[0]


def test_a_leak_into_a_number_is_found() -> None:
    rng = np.random.default_rng(2)
    frame = clean().drop(columns="bought")
    frame["net"] = frame["income"] * 0.7 + rng.normal(0, 1, ROWS)
    assert [line[:60] for line in find(frame, "income")] == [
        "`net`: gives `income` alone (R2 1.00): is it known before th"
    ]


def test_personal_values_of_a_category_are_not_written_into_the_settings() -> None:
    frame = seeded(sender=RNG.choice([MAIL, "other" + "@" + "firma.de"], ROWS))
    sender = next(
        each for each in columns.guess(frame, PLAIN, "bought", "classification")
        if each.name == "sender"
    )  # fmt: skip
    assert sender.fields() == {"kind": "text", "role": "ignored"}
