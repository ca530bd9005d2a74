#!/usr/bin/env bash
# pyarrow 26.0.1, write_csv with quoting_style="needed", the default.
# Seen: every text is in quotes, also one without a separator, a quotation mark or
# a line end; numbers are not. With "none" the same table is written without quotes,
# and one value that needs them is an error for the whole table.
# Surprise: by its name, "needed" quotes the values that need it, as csv and pandas
# do with QUOTE_MINIMAL; it decides by the column's type.
# For users: try "none", and write with "needed" only if it is refused.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 pyarrow==26.0.1
venv/bin/python - <<'PY'
import io

import pyarrow as pa
import pyarrow.csv as csv

def written(values, style):
    out = io.BytesIO()
    table = pa.table({"name": values, "size": [1.5] * len(values)})
    csv.write_csv(table, out, csv.WriteOptions(include_header=False, quoting_style=style))
    return out.getvalue().decode().splitlines()

print(written(["plain", "a,b"], "needed"))
assert csv.WriteOptions().quoting_style == "needed"
assert written(["plain", "a,b"], "needed") == ['"plain",1.5', '"a,b",1.5']
assert written(["plain"], "none") == ["plain,1.5"]
try:
    written(["plain", "a,b"], "none")
except pa.ArrowInvalid as error:
    print(error)
else:
    raise AssertionError("a value with a comma was written without quotes")
PY
