#!/usr/bin/env bash
# pandera 0.35.0, drop_invalid_rows=True on a frame whose index has repeated labels.
# Seen: valid rows that share their label with an invalid one are dropped too; of
# four rows with one invalid value, two are left.
# Surprise: the option speaks of rows, and one expects three rows to be left.
# For users: pandas.concat of two files repeats labels. Call reset_index(drop=True)
# before you validate, and compare the number of rows with the failures.
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

january = pd.DataFrame({"amount": [10, -1]})
february = pd.DataFrame({"amount": [20, 30]})
both = pd.concat([january, february])
schema = pa.DataFrameSchema({"amount": pa.Column(int, pa.Check.gt(0))}, drop_invalid_rows=True)
left = schema.validate(both, lazy=True)["amount"].tolist()
fresh = schema.validate(both.reset_index(drop=True), lazy=True)["amount"].tolist()
print("repeated labels", left, "fresh labels", fresh)
assert left == [10, 20], left
assert fresh == [10, 20, 30], fresh
PY
