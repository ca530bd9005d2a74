#!/usr/bin/env bash
# lightgbm 4.7.0 with pandas 3.1.1, a categorical column whose categories are
# intervals (the result of pandas.cut) or dates.
# Seen: every round is trained, then fit raises "ValueError: Circular reference
# detected". No model is left. Text and numbers as categories work.
# Surprise: a category dtype is what LightGBM asks for, the values are never used
# as numbers, and the message speaks of nothing in the data. One expects it to work,
# or to be refused before the training.
# For users: turn bins and dates into text before you make them categories; with a
# long training the failure comes at its very end.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  lightgbm==4.7.0 pandas==3.1.1 scikit-learn==1.9.1
venv/bin/python -W ignore - <<'PY'
import lightgbm
import numpy as np
import pandas as pd

age = pd.Series(np.arange(100.0))
bins = pd.cut(age, 4)
days = pd.Series(pd.to_datetime(["2026-01-01", "2026-02-01"] * 50)).astype("category")
target = (age > 50).astype(int)

def fit(column):
    rounds = []
    model = lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=5, verbose=-1)
    try:
        model.fit(pd.DataFrame({"c": column}), target, callbacks=[lambda env: rounds.append(env.iteration)])
    except ValueError as error:
        return len(rounds), str(error)
    return len(rounds), "fitted"

for name, column, expected in (
    ("intervals", bins, "Circular reference detected"),
    ("dates", days, "Circular reference detected"),
    ("intervals as text", bins.astype(str).astype("category"), "fitted"),
):
    seen = fit(column)
    print(name, seen)
    assert seen == (5, expected), seen
PY
