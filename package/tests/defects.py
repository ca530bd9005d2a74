"""Files with seeded defects, and what the check said of them before it worked in chunks."""

import json
import random
from pathlib import Path

import pandas as pd
from mlops_platform.data.contract import Contract

VERDICTS = Path(__file__).parent / "defects.json"
SEEDS = range(240)
ROWS = 40
CONTRACT = Contract.model_validate(
    {
        "min_rows": 20,
        "columns": {
            "number": {"kind": "text", "role": "id"},
            "day": {"kind": "date", "role": "time", "min": "2024-01-01"},
            "area": {"kind": "number", "min": 0, "max": 500, "missing": 0.1},
            "beds": {"kind": "integer", "min": 0, "max": 9},
            "town": {"kind": "category", "values": ["Bonn", "Ulm", "10", "2.0"], "missing": 0.05},
            "note": {"kind": "text", "role": "ignored", "missing": 0.5},
            "price": {"kind": "number", "min": 1, "role": "target"},
        },
    }
)
ODD = [
    *("", " ", "NA", "nan", "x", "-1", "1,5", "1.000,5", "12%", "inf", "1e400", "1e3", " 7", "7 "),
    *("0x1", "True", "2.5", "10", "10.0", "2", "2.0", "9007199254740993", "Bonn ", "bonn"),
    *("2023-12-31", "2024-02-30", "2024-1-1", "31.12.2024", "2024-05-04T10:00", "now", "2024"),
    *("2024-05-04 10:00:00.123456789", "9999-12-31", "10000-01-01", "2024-05-04T10:00:00+02:00"),
]


def frame(seed: int) -> pd.DataFrame:
    """Rows as a file gives them, all text, with one to four odd values or repeated ids."""
    draw = random.Random(seed)
    rows = [
        {
            "number": f"n{row}",
            "day": f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
            "area": f"{draw.uniform(20, 300):.2f}",
            "beds": str(draw.randint(0, 6)),
            "town": draw.choice(["Bonn", "Ulm", "10", "2.0"]),
            "note": draw.choice(["", "new", "5"]),
            "price": str(draw.randint(50, 900)),
        }
        for row in range(ROWS)
    ]
    for _ in range(draw.randint(1, 4)):
        column = draw.choice(list(rows[0]))
        odd = rows[3]["number"] if column == "number" and draw.random() < 0.8 else draw.choice(ODD)
        for row in draw.sample(range(ROWS), draw.choice([1, 1, 2, 7])):
            rows[row][column] = odd
    found = pd.DataFrame(rows, dtype="str")
    return found.mask(found == "")


def recorded() -> dict[str, list[list[object]]]:
    """By seed: column, rule, rows and message of each finding."""
    found: dict[str, list[list[object]]] = json.loads(VERDICTS.read_text(encoding="utf-8"))
    return found
