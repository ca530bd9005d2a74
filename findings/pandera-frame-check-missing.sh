#!/usr/bin/env bash
# pandera 0.35.0, ignore_na of a check on the whole frame.
# Seen: the check function gets the rows with missing values, and the row fails
# when the comparison with a missing value is False. A check on a column gets no
# missing value.
# Surprise: the text of Check says that ignore_na, which is on, ignores for frames
# the rows with any missing value.
# For users: a rule such as start <= end rejects rows whose end is not known yet.
# Write the exception into the rule: (a <= b) | b.isna().
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

text = " ".join(pa.Check.__init__.__doc__.split())
assert "For dataframes, ignores rows with any null value" in text
frame = pd.DataFrame({"start": [1.0, 1.0], "end": [2.0, None]})
rows = {}

def count(name, answer):
    def function(data):
        rows[name] = len(data)
        return answer(data)
    return function

columns = {
    "start": pa.Column(float),
    "end": pa.Column(float, pa.Check(count("column", lambda s: s > 0)), nullable=True),
}
rule = pa.Check(count("frame", lambda d: d["start"] <= d["end"]), name="order")
try:
    pa.DataFrameSchema(columns, checks=rule).validate(frame, lazy=True)
except pa.errors.SchemaErrors as error:
    failed = sorted(set(error.failure_cases["index"]))
    print("rows the functions got", rows, "rows that failed", failed)
    assert (rows, failed) == ({"column": 1, "frame": 2}, [1])
else:
    raise AssertionError("the frame passed")
PY
