#!/usr/bin/env bash
# lightgbm 4.7.0, predict(pred_contrib=True) with boosting_type="rf".
# Seen: for a regression the contributions of a row add up to the prediction times
# the number of trees: five times with 5 trees, twenty times with 20. With gbdt and
# dart they add up to the prediction.
# Surprise: SHAP values are defined to add up to the prediction; a forest averages
# its trees, and one expects its contributions to be averaged as well.
# For users: explanations of such a model, also in a report or for an applicant, are
# too large by that factor. Divide by the number of trees, and assert the sum.
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

rng = np.random.default_rng(0)
x = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
y = x["a"] + 5
seen = {}
for kind in ("gbdt", "dart", "rf"):
    for trees in (5, 20):
        model = lightgbm.LGBMRegressor(
            n_estimators=trees, boosting_type=kind, bagging_freq=1,
            bagging_fraction=0.5, random_state=0, verbose=-1).fit(x, y)
        total = model.predict(x, pred_contrib=True).sum(axis=1)
        ratio = total / model.predict(x)
        assert np.ptp(ratio) < 1e-6, ratio
        seen[kind, trees] = round(float(ratio[0]), 6)
print(seen)
for (kind, trees), ratio in seen.items():
    assert ratio == (trees if kind == "rf" else 1.0), seen
PY
