#!/usr/bin/env bash
# river 0.26.1, pos_val of F1, Precision, Recall and MCC.
# Seen: with pos_val="yes" each is 0.0 for perfect predictions; with pos_val=0 Recall
# reports the recall of the other label. Accuracy of the same predictions is 1.0.
# Surprise: pos_val is documented as the value to treat as positive; one expects 1.0.
# The label is turned into True or False when it is counted, and looked up as itself
# when the metric is read.
# For users: compare labels with the positive one yourself, pass True and False, and
# leave pos_val alone.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  river==0.26.1
venv/bin/python -W ignore - <<'PY'
from river import metrics

def value(metric, truth, predicted):
    for a, b in zip(truth, predicted):
        metric.update(a, b)
    return metric.get()

words = ["yes", "no", "yes", "no"]
seen = {
    kind.__name__: value(kind(pos_val="yes"), words, words)
    for kind in (metrics.F1, metrics.Precision, metrics.Recall, metrics.MCC)
}
print("perfect predictions:", seen, "Accuracy", value(metrics.Accuracy(), words, words))
assert set(seen.values()) == {0.0}, seen
assert value(metrics.F1(), [w == "yes" for w in words], [w == "yes" for w in words]) == 1.0
truth, predicted = [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1]
zero, one = (value(metrics.Recall(pos_val=v), truth, predicted) for v in (0, 1))
print(f"recall of 0 is 2/2 but reads {zero}; recall of 1 is 1/4 and reads {one}")
assert (zero, one) == (0.25, 0.25), (zero, one)
PY
