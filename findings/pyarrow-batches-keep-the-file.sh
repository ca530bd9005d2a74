#!/usr/bin/env bash
# pyarrow 26.0.1, ParquetFile(path).iter_batches() over a file with many row groups.
# Seen: while it runs, it keeps the bytes of all row groups that it has read: 17 MB of a file of
# 17 MB, and 0.5 GB of one of 2 GB. pyarrow 24.0.0 keeps 1 MB; 26.0.1 as well with
# pre_buffer=False, and its default became True in 25.0.0.
# Surprise: a reader in batches is taken to read in flat memory, and Arrow's own issue 39808 names
# this one as the reader that does.
# For users: pass pre_buffer=False where a file is larger than memory should be.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
cat > kept.py <<'PY'
import inspect
import sys

import pyarrow as pa
import pyarrow.parquet as pq

ids = pa.array([f"{number:040}" for number in range(400_000)])
pq.write_table(
    pa.table({"id": ids}), "ids.parquet", row_group_size=20_000,
    compression="none", use_dictionary=False,
)
default = inspect.signature(pq.ParquetFile.__init__).parameters["pre_buffer"].default
options = {"pre_buffer": False} if sys.argv[1:] else {}
before = peak = pa.total_allocated_bytes()
with pq.ParquetFile("ids.parquet", **options) as file:
    for batch in file.iter_batches(5_000):
        del batch
        peak = max(peak, pa.total_allocated_bytes())
kept = (peak - before) / 1e6
print(pa.__version__, f"default pre_buffer={default}", options, f"{kept:.1f} MB kept")
large = default and not options
assert kept > 15 if large else kept < 3, kept
assert default == (pa.__version__ == "26.0.1"), default
PY
for version in 24.0.0 26.0.1; do
  uv venv -q --clear --python 3.11 venv
  uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 "pyarrow==$version"
  venv/bin/python kept.py
  venv/bin/python kept.py without
done
