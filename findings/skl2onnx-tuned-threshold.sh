#!/usr/bin/env bash
# skl2onnx 1.20.0, a TunedThresholdClassifierCV exported to ONNX.
# Seen: the labels of the ONNX model are those of the threshold 0.5; the tuned
# threshold is not in the model. The probabilities agree.
# Surprise: the converter accepts this class by name, while it refuses
# FixedThresholdClassifier; one expects the labels of predict.
# For users: the served model decides otherwise than the evaluated one. Take the
# probability from ONNX and apply best_threshold_ yourself.
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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

rng = np.random.default_rng(0)
x = rng.normal(size=(500, 1)).astype("float32")
y = (x[:, 0] + rng.normal(size=500) > 1.5).astype(int)
model = TunedThresholdClassifierCV(LogisticRegression(), scoring="f1").fit(x, y)
onnx = to_onnx(model, x[:1]).SerializeToString()
session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
labels, probability = session.run(None, {session.get_inputs()[0].name: x})
expected = model.predict_proba(x)
half = (expected[:, 1] >= 0.5).astype(int)
print(f"threshold {model.best_threshold_:.3f}; positives: predict {model.predict(x).sum()}, "
      f"ONNX {labels.sum()}, at 0.5 {half.sum()}")
assert np.abs(probability - expected).max() < 1e-5
assert (labels == half).all() and labels.sum() < model.predict(x).sum() / 2
try:
    to_onnx(FixedThresholdClassifier(LogisticRegression(), threshold=0.2).fit(x, y), x[:1])
except Exception as error:
    assert type(error).__name__ == "MissingShapeCalculator", error
else:
    raise AssertionError("FixedThresholdClassifier was converted")
PY
