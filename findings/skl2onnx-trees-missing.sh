#!/usr/bin/env bash
# skl2onnx 1.20.0, trees and forests trained on data with missing values, exported.
# Seen: the ONNX model sends a missing value to the right at every split. Scikit-learn
# learns the side: with rows whose missing values belong to the left, the trained
# model says class 0 with probability 1, and the exported one class 1 with
# probability 1. Complete rows agree, and so do missing values that go to the right.
# Surprise: the ONNX operator has an attribute for the side; one expects it to be set,
# or the conversion to be refused.
# For users: compare the exported model with the trained one on rows with missing
# values; a check on complete rows sees nothing.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1
venv/bin/python -W ignore - <<'PY'
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

nan = np.nan
x = np.array([[0], [1], [2], [3], [nan], [nan]] * 20, dtype="float32")
rows = np.array([[0], [3], [nan]], dtype="float32")
sides = {"left": [0, 0, 1, 1, 0, 0] * 20, "right": [0, 0, 1, 1, 1, 1] * 20}
for kind in (DecisionTreeClassifier, RandomForestClassifier):
    for side, y in sides.items():
        model = kind(random_state=0).fit(x, y)
        onnx = to_onnx(model, x[:1], options={"zipmap": False}).SerializeToString()
        session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
        exported = session.run(None, {session.get_inputs()[0].name: rows})[1][:, 1].round(3).tolist()
        trained = model.predict_proba(rows)[:, 1].round(3).tolist()
        print(kind.__name__, side, "trained", trained, "exported", exported)
        assert trained == [0.0, 1.0, 0.0 if side == "left" else 1.0], trained
        assert exported == [0.0, 1.0, 1.0], exported
PY
