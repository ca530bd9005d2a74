#!/usr/bin/env bash
# pandera 0.35.0 with pandas 3.1.1, the unit of a column of times without a zone.
# Seen: a column declared datetime64[ns] passes with microseconds or seconds, and
# one declared datetime64[us] with nanoseconds. With coerce=True every declared unit
# turns the column into nanoseconds, so the year 2300 then fails, even where the
# schema says microseconds. With a zone the unit is compared as declared.
# Surprise: the unit is part of the type in pandas, and coerce is expected to
# produce the declared type.
# For users: do not rely on the schema for the unit; pandas' own astype keeps it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  'pandera[pandas]==0.35.0' pandas==3.1.1
venv/bin/python -W ignore - <<'PY'
import pandas as pd
import pandera.pandas as pa

def validate(declared, unit, date, coerce=False, tz=None):
    frame = pd.DataFrame({"t": pd.to_datetime([date], utc=bool(tz)).as_unit(unit)})
    schema = pa.DataFrameSchema({"t": pa.Column(declared, coerce=coerce)})
    try:
        return str(schema.validate(frame)["t"].dtype)
    except (pa.errors.SchemaError, pa.errors.SchemaErrors) as error:
        return type(error).__name__

seen = {
    "ns, given us": validate("datetime64[ns]", "us", "2300-01-01"),
    "us, given ns": validate("datetime64[us]", "ns", "2020-01-01"),
    "us, given us, coerced": validate("datetime64[us]", "us", "2020-01-01", coerce=True),
    "us, given us of 2300, coerced": validate("datetime64[us]", "us", "2300-01-01", coerce=True),
    "ns with a zone, given us": validate("datetime64[ns, UTC]", "us", "2020-01-01", tz="UTC"),
}
for case, result in seen.items():
    print(f"declared {case}: {result}")
assert list(seen.values()) == [
    "datetime64[us]", "datetime64[ns]", "datetime64[ns]", "SchemaErrors", "SchemaError",
], seen
PY
