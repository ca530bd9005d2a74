"""The examples' answers, rendered once for each process that runs tests, and importable."""

import atexit
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from tests.rendering import ROOT, render

KEPT = Path(tempfile.mkdtemp(prefix="copier-mlops-standard-"))
atexit.register(shutil.rmtree, KEPT, ignore_errors=True)

for name, answers in yaml.safe_load((ROOT / "examples" / "answers.yml").read_text()).items():
    render(answers, KEPT / name)
    sys.path.insert(0, str(KEPT / name / "src"))
