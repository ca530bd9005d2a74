#!/usr/bin/env bash
# skops 0.16.0, dumps and loads of an object that holds a collections.deque.
# Seen: the deque comes back empty and without its maxlen, once its type is trusted.
# Surprise: a type that skops does not support is refused when it is dumped; this
# one is listed for review, is trusted by the user, and then its content is gone.
# For users: an estimator that keeps a sliding window (recent values, a drift
# state) starts again from nothing after loading. Keep a list instead.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  skops==0.16.0 scikit-learn==1.9.1
venv/bin/python -W ignore - <<'PY'
from collections import deque

from sklearn.base import BaseEstimator
from skops.io import dumps, get_untrusted_types, loads

class Recent(BaseEstimator):
    def fit(self, x):
        self.window_ = deque(x, maxlen=3)
        self.copy_ = list(self.window_)
        return self

data = dumps(Recent().fit([1, 2, 3, 4]))
types = get_untrusted_types(data=data)
print("to be trusted:", types)
assert types == ["__main__.Recent", "collections.deque"], types
loaded = loads(data, trusted=types)
print("window", loaded.window_, "maxlen", loaded.window_.maxlen, "list", loaded.copy_)
assert loaded.copy_ == [2, 3, 4]
assert loaded.window_ == deque() and loaded.window_.maxlen is None
PY
