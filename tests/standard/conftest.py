"""Tests of the standard's part, `src/<package>/mlops/`, on renders that the session keeps.

Test modules import it as `credit_risk.mlops` (classification) or `energy_demand.mlops`.
"""

import shutil
import sys

import yaml

from tests.rendering import ROOT, render

KEPT = ROOT / ".cache" / "standard"

for name, answers in yaml.safe_load((ROOT / "examples" / "answers.yml").read_text()).items():
    shutil.rmtree(KEPT / name, ignore_errors=True)
    render(answers, KEPT / name)
    sys.path.insert(0, str(KEPT / name / "src"))
