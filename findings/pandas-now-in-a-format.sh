#!/usr/bin/env bash
# pandas 3.1.1, to_datetime with an explicit format.
# Seen: "now" and "today" are read as the time of the call, although they do not
# have the format, also with errors="raise"; "tomorrow" and "Now" are refused.
# Surprise: a strict format promises that any other text is an error. A column of
# dates with the word in one cell gets another value in each run.
# For users: take out texts without a digit before you parse.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 pandas==3.1.1
venv/bin/python - <<'PY'
import pandas as pd

before = pd.Timestamp.now("UTC")
for word in ("now", "today"):
    read = pd.to_datetime(pd.Series(["04.05.2024", word]), format="%d.%m.%Y", utc=True)
    print(word, read.tolist())
    assert read[0] == pd.Timestamp("2024-05-04", tz="UTC")
    assert abs(read[1] - before) < pd.Timedelta(days=2), read[1]
for word in ("tomorrow", "Now"):
    try:
        pd.to_datetime(pd.Series(["04.05.2024", word]), format="%d.%m.%Y", utc=True)
    except ValueError as error:
        print(word, "is refused")
        assert "%d.%m.%Y" in str(error), error
    else:
        raise AssertionError(f"{word} was accepted")
PY
