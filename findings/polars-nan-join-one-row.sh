#!/usr/bin/env bash
# polars 2.1.0, a join on a float key that is NaN.
# Seen: NaN finds NaN as soon as one of the two frames has two rows. When both have
# one row, the inner join is empty and the left join finds nothing, while the semi
# and the full join still find it.
# Surprise: one expects either answer, but the same whatever the number of rows.
# For users: a look-up that works for a batch fails for a single request. Fill or
# drop missing keys before a join.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  polars==2.1.0
venv/bin/python -W ignore - <<'PY'
import polars as pl

nan = float("nan")

def joined(left, right):
    a = pl.DataFrame({"k": [nan] + [1.0] * (left - 1)})
    b = pl.DataFrame({"k": [nan] + [2.0] * (right - 1), "v": [7] * right})
    return {
        "inner": a.join(b, on="k").height,
        "left": a.join(b, on="k", how="left")["v"].to_list()[0],
        "semi": a.join(b, on="k", how="semi").height,
        "full": a.join(b, on="k", how="full")["v"].to_list()[0],
    }

for sizes in ((1, 1), (1, 2), (2, 1), (2, 2)):
    seen = joined(*sizes)
    print(sizes, seen)
    if sizes == (1, 1):
        assert seen == {"inner": 0, "left": None, "semi": 1, "full": 7}, seen
    else:
        assert (seen["inner"], seen["left"], seen["semi"]) == (1, 7, 1), seen
PY
