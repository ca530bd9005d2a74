#!/usr/bin/env bash
# skops 0.16.0, dumps and loads of a dictionary with boolean keys.
# Seen: {False: 5.0, True: 1.0} comes back as {True: 1.0}: one entry is gone.
# No error, and no type to trust is reported.
# Surprise: skops keeps the types of keys (integers, floats, numpy numbers come
# back as they were), so one expects booleans to be kept, or refused.
# For users: class_weight={False: .., True: ..} of a classifier loses a class. The
# loaded model predicts as before; a refit of it weights the classes differently.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  skops==0.16.0 scikit-learn==1.9.1
venv/bin/python -W ignore - <<'PY'
from sklearn.linear_model import LogisticRegression
from skops.io import dumps, get_untrusted_types, loads

def back(thing):
    data = dumps(thing)
    assert get_untrusted_types(data=data) == []
    return loads(data)

assert back({0: 5.0, 1: 1.0}) == {0: 5.0, 1: 1.0}
assert back({0.5: "a", 1.5: "b"}) == {0.5: "a", 1.5: "b"}
x, y = [[0.0], [1.0], [2.0], [3.0]], [False, True, False, True]
model = LogisticRegression(class_weight={False: 5.0, True: 1.0}).fit(x, y)
loaded = back(model)
print("dumped", model.class_weight, "loaded", loaded.class_weight)
assert loaded.class_weight == {True: 1.0}, loaded.class_weight
before = model.predict_proba([[1.5]])[0, 1]
assert loaded.predict_proba([[1.5]])[0, 1] == before
after = loaded.fit(x, y).predict_proba([[1.5]])[0, 1]
print(f"P(True) {before:.3f}, after a refit of the loaded model {after:.3f}")
assert before < 0.3 and after > 0.45, (before, after)
PY
