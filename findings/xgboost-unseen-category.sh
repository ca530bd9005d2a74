#!/usr/bin/env bash
# xgboost 3.2.0, a category that training never saw.
# Seen: it gets the prediction of the next known category in sort order ("aa"
# that of "b", 15 that of 20). Only a value past the last one is refused, with
# "Found a category not in the training set".
# Surprise: since that error exists, one expects it for every unseen category,
# or else the branch of missing values. Which rows are refused depends on spelling.
# For users: 3.2.0 is the newest for Python 3.11; 3.3.0 and 3.4.1 (Python 3.12) refuse
# every unseen category. Until then check categories before you predict.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  xgboost==3.2.0 pandas==3.1.1 scikit-learn==1.9.1
venv/bin/python -W ignore - <<'PY'
import numpy as np
import pandas as pd
import xgboost

def frame(values):
    return pd.DataFrame({"c": pd.Categorical(values)})

def check(known, unseen, past):
    target = dict(zip(known, (0.1, 0.5, 0.9)))
    train = known * 100
    model = xgboost.XGBRegressor(n_estimators=60, learning_rate=0.5, enable_categorical=True)
    model.fit(frame(train), [target[v] for v in train])
    seen = {v: round(float(model.predict(frame([v]))[0]), 2) for v in known + unseen}
    print(seen)
    assert [seen[v] for v in known] == [0.1, 0.5, 0.9], seen
    assert [seen[v] for v in unseen] == [0.1, 0.5, 0.9], seen
    try:
        model.predict(frame([past]))
    except xgboost.core.XGBoostError as error:
        print(past, "is refused")
        assert "Found a category not in the training set" in str(error)
    else:
        raise AssertionError(f"{past} was accepted")

check(["a", "b", "z"], ["0", "aa", "c"], "zz")
check([10, 20, 30], [1, 15, 25], 99)
PY
