#!/usr/bin/env bash
# statsmodels 0.15.0, mcnemar(exact=False) on two models that agree on every row.
# Seen: statistic inf and p-value 0.0. With one disagreement each way the p-value is
# above 0.4, and the exact test of the agreeing models gives 1.0. Without the
# continuity correction the p-value is nan.
# Surprise: two models that never differ are the least significant case there is.
# For users: a gate on p < 0.05 takes a challenger equal to the champion (the same
# model retrained, say) for a significant change. Use exact=True where the rows that
# differ are few, and count them first.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  statsmodels==0.15.0 pandas==3.1.1
venv/bin/python -W ignore - <<'PY'
import math

from statsmodels.stats.contingency_tables import mcnemar

agree = [[90, 0], [0, 10]]
approximate = mcnemar(agree, exact=False)
plain = mcnemar(agree, exact=False, correction=False)
exact = mcnemar(agree, exact=True)
balanced = mcnemar([[89, 1], [1, 9]], exact=False)
for name, result in (("agree", approximate), ("agree, uncorrected", plain),
                     ("agree, exact", exact), ("one each way", balanced)):
    print(f"{name}: statistic {result.statistic}, p-value {result.pvalue}")
assert approximate.pvalue == 0.0 and math.isinf(approximate.statistic)
assert math.isnan(plain.pvalue)
assert exact.pvalue == 1.0
assert balanced.pvalue > 0.4
PY
