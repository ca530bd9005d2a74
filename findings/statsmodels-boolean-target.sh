#!/usr/bin/env bash
# statsmodels 0.15.0, a binomial GLM with a boolean target.
# Seen: smf.glm("y ~ x") models the probability of False: all signs are turned round,
# and predict gives the probability of False. sm.GLM on the same two columns, and
# the formula with 0 and 1, model the probability of True. smf.logit refuses the
# boolean target.
# Surprise: True counts as 1 elsewhere in Python and in the other interface of the
# same model; no warning is given.
# For users: write astype(int) before a formula; read a coefficient only after you
# have checked one prediction.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  statsmodels==0.15.0 pandas==3.1.1
venv/bin/python -W ignore - <<'PY'
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

rng = np.random.default_rng(0)
data = pd.DataFrame({"x": np.arange(200.0) / 10})
data["y"] = rng.random(200) < data["x"] / 20
binomial = {"family": sm.families.Binomial()}
formula = smf.glm("y ~ x", data, **binomial).fit()
number = smf.glm("y ~ x", data.assign(y=data["y"].astype(int)), **binomial).fit()
arrays = sm.GLM(data["y"], sm.add_constant(data["x"]), **binomial).fit()
slopes = [float(fit.params["x"]) for fit in (formula, number, arrays)]
print("slope of x: formula, formula with 0 and 1, arrays:", np.round(slopes, 3).tolist())
high = float(formula.predict(pd.DataFrame({"x": [20.0]}))[0])
print("predicted for the largest x, where y is nearly always True:", round(high, 3))
assert slopes[0] < 0 < slopes[1]
assert np.isclose(slopes[0], -slopes[1]) and np.isclose(slopes[1], slopes[2])
assert high < 0.2, high
try:
    smf.logit("y ~ x", data)
except ValueError as error:
    assert "non-numeric" in str(error)
else:
    raise AssertionError("logit accepted the boolean target")
PY
