#!/usr/bin/env bash
# pytest 9.2.0, a chained comparison in an assert.
# Seen: `assert last == champion > 0` calls every comparison of the chain. With last = 1.5 and
# champion = None it fails with "'>' not supported between instances of 'NoneType' and 'int'";
# `python` and `pytest --assert=plain` stop at `last == champion` with an AssertionError.
# Surprise: Python's language reference says that the rest of a chain is not evaluated once one
# comparison is false, and pytest keeps that for `and` and `or`. The TypeError seems to prove that
# both values were None.
# pytest-dev/pytest issue 14819, open in November 2026, reports it.
# For users: where a value of a chain may be None, write two asserts.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 pytest==9.2.0
cat > test_chain.py <<'PY'
def test_chain():
    last, champion = 1.5, None
    assert last == champion > 0


def test_and():
    last, champion = 1.5, None
    assert last == champion and champion > 0
PY
for rewriting in rewrite plain; do
  echo "--assert=$rewriting"
  venv/bin/python -m pytest -q -p no:cacheprovider --tb=line --assert=$rewriting test_chain.py \
    | tee "$rewriting.txt" | grep -E "^.*test_chain.py:[0-9]+" || true
done
grep -q "test_chain.py:3: TypeError: '>' not supported" rewrite.txt
grep -q "test_chain.py:8: .*assert" rewrite.txt
grep -q "test_chain.py:3: AssertionError" plain.txt
grep -q "test_chain.py:8: AssertionError" plain.txt
