#!/usr/bin/env bash
# pandera 0.35.0, a categorical column through to_yaml and from_yaml.
# Seen: the categories and their order are lost. The schema read back accepts other
# categories, and says nothing.
# Surprise: the YAML form is meant to hold the schema, and checks such as isin come
# back; one expects the same frames to be refused.
# For users: a schema kept as YAML must carry its categories as an isin check.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  'pandera[pandas,io]==0.35.0' pandas==3.1.1
venv/bin/python -W ignore - <<'PY'
import pandas as pd
import pandera.pandas as pa

dtype = pd.CategoricalDtype(["low", "high"], ordered=True)
schema = pa.DataFrameSchema({"risk": pa.Column(dtype)})
text = schema.to_yaml()
again = pa.DataFrameSchema.from_yaml(text)
other = pd.DataFrame({"risk": pd.Categorical(["no", "such", "risk"])})

def verdict(checked):
    try:
        checked.validate(other)
    except pa.errors.SchemaError:
        return "refused"
    return "accepted"

print("in the text:", "low" in text, "| before:", verdict(schema), "| read back:", verdict(again))
assert "low" not in text and "high" not in text
assert (verdict(schema), verdict(again)) == ("refused", "accepted")
PY
