"""What a good script would do without a template: `table_peers.py STEP DATA SAMPLE MODEL OUT`.

Each function reads the file, and does what the step of the same name does to it.
"""

# ruff: noqa: PLC0415  a peer imports what it needs, and no more

import sys
from pathlib import Path

RANGES = {
    "income": (0, 100_000, True),
    "debt_ratio": (0, 1, False),
    "years_employed": (0, 60, True),
    "late_payments": (0, 50, False),
}
VALUES = {
    "sex": ["female", "male"],
    "age": ["18-29", "30-49", "50+"],
    "housing": ["own", "rent", "family"],
    "purpose": ["car", "home", "study", "other"],
    "outcome": ["repaid", "defaulted"],
}


def schema(pa, text: object, number: object, date: object):
    """The sample's contract in pandera."""
    columns = {"loan_id": pa.Column(text, unique=True), "month": pa.Column(date)}
    for name, (low, high, missing) in RANGES.items():
        checks = [pa.Check.ge(low), pa.Check.le(high)]
        columns[name] = pa.Column(number, checks, nullable=missing, coerce=True)
    for name, values in VALUES.items():
        columns[name] = pa.Column(text, pa.Check.isin(values), nullable=name == "housing")
    return pa.DataFrameSchema(columns)


def validate(data: Path, *_: Path) -> None:
    """Reads with polars; pandera checks."""
    import pandera.polars as pa
    import polars as pl

    rows = pl.read_csv(data, try_parse_dates=True)
    schema(pa, pl.String, pl.Float64, pl.Date).validate(rows, lazy=True)


def prepare(data: Path, _: Path, __: Path, out: Path) -> None:
    """Reads with polars; the newest rows are for tests."""
    import polars as pl

    rows = pl.read_csv(data, try_parse_dates=True).sort("month")
    out.mkdir(exist_ok=True)
    ends = [0, int(len(rows) * 0.6), int(len(rows) * 0.8), len(rows)]
    for part, low, high in zip(("train", "validation", "test"), ends, ends[1:], strict=False):
        rows[low:high].write_parquet(out / f"{part}.parquet")


def batch(data: Path, _: Path, model: Path, out: Path) -> None:
    """Reads with pandas in chunks, each checked by pandera; valid rows are predicted."""
    import pandas as pd
    import pandera.pandas as pa
    from mlops_platform.models import artifact, team

    fitted = artifact.load(model, team.load_team(Path("conf")))
    features = [*RANGES, "housing", "purpose"]
    rules = schema(pa, str, float, "datetime64[us]").select_columns(features)
    out.mkdir(exist_ok=True)
    with (out / "peer.csv").open("w") as file:
        for rows in pd.read_csv(data, chunksize=100_000):
            try:
                valid = rules.validate(rows[features], lazy=True)
            except pa.errors.SchemaErrors as error:
                valid = rows[features].drop(index=error.failure_cases["index"].unique())
            found = rows.loc[valid.index, ["loan_id"]].copy()
            found[["repaid", "defaulted"]] = fitted.predict_proba(valid)
            found.to_csv(file, index=False, header=False)


def drift(data: Path, sample: Path, model: Path, _: Path) -> None:
    """Reads with pandas; scipy tests each feature, and the predictions."""
    import pandas as pd
    from mlops_platform.models import artifact, team
    from scipy import stats

    fitted = artifact.load(model, team.load_team(Path("conf")))
    now, then = pd.read_csv(data), pd.read_csv(sample)
    for rows in (now, then):
        rows["predicted"] = fitted.predict_proba(rows[[*RANGES, "housing", "purpose"]])[:, 1]
    for name in (*RANGES, "predicted"):
        stats.ks_2samp(now[name].dropna(), then[name].dropna(), method="asymp")
    for name in ("housing", "purpose"):
        pair = [each[name].value_counts() for each in (now, then)]
        stats.chi2_contingency(pd.concat(pair, axis=1).fillna(0).to_numpy())


if __name__ == "__main__":
    steps = {"validate": validate, "prepare": prepare, "batch": batch, "drift": drift}
    steps[sys.argv[1]](*map(Path, sys.argv[2:]))
