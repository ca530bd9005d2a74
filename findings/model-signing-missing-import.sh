#!/usr/bin/env bash
# model-signing 1.1.1, the command line of OpenSSF model signing, with sigstore 4.5.1.
# Seen: installed as published, `model_signing --help` ends in a ModuleNotFoundError for OpenSSL:
# a module imports pyopenssl, which no dependency of it brings. With pyopenssl beside it,
# a model is signed and verified with keys from files.
# Surprise: one expects a command to start with the packages that it declares.
# For users: pin pyopenssl beside it, as `mlops` does.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  model-signing==1.1.1 sigstore==4.5.1
if venv/bin/model_signing --help >said 2>&1; then
  echo "it starts now" && exit 1
fi
tail -1 said
grep -q "ModuleNotFoundError: No module named 'OpenSSL'" said
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 pyopenssl==26.4.0
openssl ecparam -name prime256v1 -genkey -noout -out private.pem
openssl ec -in private.pem -pubout -out public.pem 2>/dev/null
mkdir model && echo weights >model/weights.txt
venv/bin/model_signing sign key --private_key private.pem --signature model.sig model
venv/bin/model_signing verify key --public_key public.pem --signature model.sig model | tee said
grep -q "Verification succeeded" said
