"""The committed examples: sample projects of each task, importable."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

for name in ("credit-risk", "energy-demand"):
    sys.path.insert(0, str(EXAMPLES / name / "src"))
