"""How long the check of specs takes without Microsoft's package, and who catches what is planted.

The time is a whole process's: start, imports, all specs of a project with everything. The planted
errors are those of package/tests/specs/planted.yml, whose tests compare both checkers, too.
`uv run python benchmarks/specs.py [RUNS]`
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml
from measuring import ROOT, summary, timed, write

from tests.rendering import render

TARGET_SECONDS = 2
# What `mlops specs` does, up to where it would ask the package.
LINT = """
import sys
sys.path.insert(0, "src")
from pathlib import Path
from mlops_platform.specs import check
specs, problems = check.lint(check.find([], Path.cwd()), Path.cwd())
assert len(specs) > 20 and not problems, (len(specs), problems)
"""


def main(runs: int) -> None:
    """Measure in one project; the first run, which compiles byte code, does not count."""
    planted = yaml.safe_load((ROOT / "tests" / "specs" / "planted.yml").read_text())
    by = Counter(row["by"] for rows in planted.values() for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        project = render({"project_name": "Credit Risk"}, Path(folder) / "project")
        specs = [p for at in ("pipelines", "azureml") for p in (project / at).rglob("*.yml")]
        command = [sys.executable, "-c", LINT]
        times = [timed(command, project) for _ in range(runs + 1)][1:]
    write(
        "specs",
        {
            "target": f"all specs in under {TARGET_SECONDS} s without azure-ai-ml",
            "files": len(specs),
            "lint": summary(times),
            "planted": sum(by.values()),
            "refused_by": {
                "the lint alone": by["lint"],
                "azure-ai-ml alone": by["sdk"],
                "both": by["both"],
            },
        },
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
