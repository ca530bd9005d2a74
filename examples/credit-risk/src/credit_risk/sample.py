"""Yours, until your own data is here: makes the sample of loans in data/raw/credit.csv.

The truth is known: default depends on income, debt, late payments and housing, and not on sex or
age. The knobs break that truth on purpose, so that gates and monitors can be seen to work.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd


def make(
    rows: int = 3000, *, seed: int = 0, drift: float = 0, bias: float = 0, noise: float = 0
) -> pd.DataFrame:
    """Make `rows` loans.

    Args:
        rows: how many.
        seed: the same seed gives the same loans.
        drift: standard deviations by which income falls and debt rises.
        bias: log-odds of default added for one sex, in the recorded outcome.
        noise: share of outcomes that are drawn at random.
    """
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2024-01-01")
    offsets = np.sort(rng.integers(0, 24, rows))
    months = np.array([f"{first + pd.DateOffset(months=month):%Y-%m-%d}" for month in range(24)])
    sex = rng.choice(["female", "male"], rows)
    age = rng.choice(["18-29", "30-49", "50+"], rows, p=[0.3, 0.45, 0.25])
    wealth = rng.normal(-drift, 1, rows)
    income = np.exp(7.8 + 0.45 * wealth)
    debt = np.clip(rng.beta(2, 5, rows) + 0.12 * drift, 0, 1)
    years = np.clip(rng.gamma(2, 3, rows), 0, 45)
    late = rng.poisson(0.7, rows)
    housing = rng.choice(["own", "rent", "family"], rows, p=[0.4, 0.45, 0.15])
    purpose = rng.choice(["car", "home", "study", "other"], rows)

    risk = -2.2 - 0.9 * wealth + 3.0 * debt + 0.8 * late - 0.06 * years
    risk += np.where(housing == "rent", 0.5, 0) + np.where((debt > 0.5) & (late > 0), 1.0, 0)
    risk += bias * (sex == "female")
    defaulted = rng.random(rows) < 1 / (1 + np.exp(-risk))
    redrawn = rng.random(rows) < noise
    defaulted = np.where(redrawn, rng.random(rows) < defaulted.mean(), defaulted)

    frame = pd.DataFrame(
        {
            "loan_id": [f"L{seed:03d}-{number:06d}" for number in range(rows)],
            "month": months[offsets],
            "sex": sex,
            "age": age,
            "income": income.round(0),
            "debt_ratio": debt.round(3),
            "years_employed": years.round(1),
            "late_payments": late,
            "housing": housing,
            "purpose": purpose,
            "outcome": np.where(defaulted, "defaulted", "repaid"),
        }
    )
    for column, share in {"income": 0.04, "years_employed": 0.06, "housing": 0.03}.items():
        frame.loc[rng.random(rows) < share, column] = None
    return frame


def main() -> None:
    """Write a sample to a file."""
    parser = argparse.ArgumentParser(description=make.__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    for knob in ("drift", "bias", "noise"):
        parser.add_argument(f"--{knob}", type=float, default=0)
    given = vars(parser.parse_args())
    path = given.pop("path")
    path.parent.mkdir(parents=True, exist_ok=True)
    make(**given).to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
