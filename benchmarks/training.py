"""What training costs beside one bare fit of the same pipeline, and what evaluation costs.

`uv run python benchmarks/training.py [ROWS ...]`, by default 10,000, 100,000 and 1,000,000 rows of
the sample's shape. Seconds are of the processor. The bare script reads the same training rows, fits
the project's own pipeline to them, and keeps nothing. Evaluation took 186 s in 0.7.0.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import timed, write
from serving import make_project
from tables import python

ROUNDS = 3
TRAINING_AT_MOST = 1.3
BARE = """
import sys
from pathlib import Path
import pandas as pd
from sklearn.pipeline import Pipeline
from mlops_platform import settings
from mlops_platform.data.contract import load_contract
from mlops_platform.models import team
conf = Path("conf")
contract, train = load_contract(conf / "data.yml", "classification"), settings.load_train(conf)
code = team.load_team(conf)
features, model = code.build_features(contract), code.build_model(train.parameters, train.seed)
rows = pd.read_parquet(sys.argv[1])
truth = (rows[contract.target] == contract.labels[1]).astype(int)
Pipeline([("features", features), ("model", model)]).fit(rows[contract.features], truth)
"""
SAMPLE = """
import importlib, sys
from pathlib import Path
from mlops_platform.models import team
make = importlib.import_module(team.load_team(Path("conf")).package + ".sample").make
rows = make(int(sys.argv[2]), seed=1)
rows["loan_id"] = [f"N{row:08}" for row in range(len(rows))]
rows.to_csv(sys.argv[1], index=False)
"""


def main() -> None:
    """Measure and write the results."""
    sizes = [int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000]
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        results = {f"{size:,} rows": measure(project, Path(folder), size) for size in sizes}
    write("training", {"training_at_most": TRAINING_AT_MOST, **results})


def measure(project: Path, scratch: Path, rows: int) -> dict[str, float]:
    """Processor seconds of training, of the bare fit and of evaluation, on so many raw rows."""
    raw, out = scratch / "raw.csv", scratch / "out"
    subprocess.run([python(project), "-c", SAMPLE, str(raw), str(rows)], cwd=project, check=True)
    mlops, kept = str(Path(python(project)).with_name("mlops")), ["--out", str(out)]
    timed([mlops, "validate", "--raw", str(raw), *kept], project)
    timed([mlops, "prepare", "--raw", str(raw), "--validated", str(out), *kept], project)
    fitted = ["--data", str(out), "--model", str(out / "model"), *kept]
    bare = [python(project), "-c", BARE, str(out / "train.parquet")]
    pairs = []
    for _ in range(ROUNDS):
        shutil.rmtree(out / "model", ignore_errors=True)
        pairs.append((timed([mlops, "train", *fitted], project), timed(bare, project)))
    return {
        "cpu_seconds": round(statistics.median(own.cpu for own, _ in pairs), 1),
        "cpu_seconds of a bare fit": round(statistics.median(fit.cpu for _, fit in pairs), 1),
        "ratio": round(statistics.median(own.cpu / fit.cpu for own, fit in pairs), 2),
        "peak_mb": round(max(own.peak_mb for own, _ in pairs)),
        "cpu_seconds of evaluation": round(timed([mlops, "evaluate", *fitted], project).cpu, 1),
    }


if __name__ == "__main__":
    main()
