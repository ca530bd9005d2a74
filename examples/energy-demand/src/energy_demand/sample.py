"""Yours, until your own data is here: makes the sample of meter readings in data/raw/energy.csv.

The truth is known: use depends on area, people, temperature, insulation and heating, and not on
tenure or district. The knobs break that truth on purpose, so that gates and monitors can be seen
to work.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd


def make(
    rows: int = 3000, *, seed: int = 0, drift: float = 0, bias: float = 0, noise: float = 0
) -> pd.DataFrame:
    """Make `rows` monthly readings of households.

    Args:
        rows: how many.
        seed: the same seed gives the same readings.
        drift: standard deviations by which homes grow and winters warm.
        bias: kWh added for tenants, in the recorded use.
        noise: standard deviation, in kWh, of an error added to the recorded use.
    """
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2024-01-01")
    offsets = np.sort(rng.integers(0, 24, rows))
    months = np.array([f"{first + pd.DateOffset(months=month):%Y-%m-%d}" for month in range(24)])
    tenure = rng.choice(["owner", "tenant"], rows)
    district = rng.choice(["north", "south", "centre"], rows, p=[0.35, 0.4, 0.25])
    area = np.clip(rng.normal(95 + 30 * drift, 30, rows), 20, 300)
    people = rng.integers(1, 7, rows)
    season = -np.cos(2 * np.pi * (offsets % 12) / 12)
    temperature = 10 + 9 * season + rng.normal(4 * drift, 2.5, rows)
    insulation = rng.choice(["poor", "fair", "good"], rows, p=[0.25, 0.5, 0.25])
    heating = rng.choice(["gas", "heat pump", "electric"], rows, p=[0.5, 0.3, 0.2])

    cold = np.clip(18 - temperature, 0, None)
    leak = np.select([insulation == "poor", insulation == "fair"], [1.5, 1.0], 0.6)
    fuel = np.select([heating == "gas", heating == "electric"], [1.0, 0.95], 0.35)
    use = 60 + 45 * people + 0.12 * area * cold * leak * fuel
    use = use + bias * (tenure == "tenant")
    use = use + rng.normal(0, 25, rows) + noise * rng.normal(0, 1, rows)

    frame = pd.DataFrame(
        {
            "reading_id": [f"R{seed:03d}-{number:06d}" for number in range(rows)],
            "month": months[offsets],
            "tenure": tenure,
            "district": district,
            "area": area.round(0),
            "people": people,
            "temperature": temperature.round(1),
            "insulation": insulation,
            "heating": heating,
            "kwh": np.clip(use, 0, None).round(1),
        }
    )
    for column, share in {"area": 0.03, "temperature": 0.05, "insulation": 0.04}.items():
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
