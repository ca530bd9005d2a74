#!/usr/bin/env bash
# fairlearn 0.15.0, demographic parity of a classifier with text labels.
# Seen: the difference is 0.0, perfect parity, although one group is always selected
# and the other never; also for the labels "1" and "0", and for probabilities. The
# ratio is nan. Equalized odds of the same labels raises a ValueError.
# Surprise: both take labels and have the same convention for the positive one; one
# expects both to refuse labels that hold no positive one.
# For users: a gate on the parity difference passes. Map labels to 0 and 1 first,
# and check that some row is selected.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  fairlearn==0.15.0 scikit-learn==1.9.1
venv/bin/python -W ignore - <<'PY'
import math

from fairlearn.metrics import (
    demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference)

groups = ["f", "f", "m", "m"]
truth = [1, 0, 1, 0]
picks = [1, 1, 0, 0]
parity = lambda t, p: demographic_parity_difference(t, p, sensitive_features=groups)
text = {1: "yes", 0: "no"}
words = [text[v] for v in truth], [text[v] for v in picks]
seen = {
    "0 and 1": parity(truth, picks),
    "yes and no": parity(*words),
    "digits as text": parity([str(v) for v in truth], [str(v) for v in picks]),
    "probabilities": parity(truth, [0.9, 0.8, 0.1, 0.2]),
}
print(seen)
assert list(seen.values()) == [1.0, 0.0, 0.0, 0.0], seen
ratio = demographic_parity_ratio(*words, sensitive_features=groups)
assert math.isnan(ratio), ratio
try:
    equalized_odds_difference(*words, sensitive_features=groups)
except ValueError as error:
    print("equalized odds:", error)
else:
    raise AssertionError("equalized odds accepted the labels")
PY
