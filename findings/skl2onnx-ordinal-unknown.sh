#!/usr/bin/env bash
# skl2onnx 1.20.0, an OrdinalEncoder exported to ONNX.
# Seen: an unknown category, which scikit-learn refuses with a ValueError, becomes
# -1; so does a missing value for which encoded_missing_value asks -9. A
# OneHotEncoder that refuses unknown categories does so in ONNX as well.
# Surprise: one expects the two encoders to be alike, and the encoder's own setting
# for missing values to be kept.
# For users: the served model answers for categories it never saw, with a number
# that training never saw. Check categories before the model.
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
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

def run(encoder, x):
    onnx = to_onnx(encoder, x[:1]).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0].tolist()

known, unknown = np.array([["a"], ["b"]], dtype=object), np.array([["q"]], dtype=object)
for encoder in (OrdinalEncoder(), OneHotEncoder(sparse_output=False)):
    encoder.fit(known)
    for name, call in (("scikit-learn", encoder.transform), ("ONNX", lambda x: run(encoder, x))):
        try:
            result = call(unknown)
        except Exception as error:
            result = type(error).__name__
        print(type(encoder).__name__, name, result)
        silent = isinstance(encoder, OrdinalEncoder) and name == "ONNX"
        assert (result == [[-1.0]]) if silent else isinstance(result, str), result
numbers = np.array([[1.0], [2.0], [np.nan]], dtype="float32")
encoder = OrdinalEncoder(encoded_missing_value=-9).fit(numbers)
print("missing:", encoder.transform(numbers)[2], run(encoder, numbers)[2])
assert encoder.transform(numbers)[2].tolist() == [-9.0] and run(encoder, numbers)[2] == [-1.0]
PY
