"""How much a table costs: validate, prepare, batch and drift beside short scripts of peers.

`uv run python benchmarks/tables.py [MILLIONS ...]`, by default 1 million rows of the sample's
shape; each size in turn, ours and the peer's one after the other. Seconds are of the processor.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Run, timed, write
from serving import make_project

ROUNDS = 3
PEERS = Path(__file__).with_name("table_peers.py")
PACKAGES = ["polars==2.1.0", "pandera[polars]==0.35.0"]
TARGETS = {  # of the peer's processor time, at most
    "validate": ("polars with pandera", 1.2),
    "prepare": ("polars to Parquet", 1.5),
    "batch": ("pandas in chunks with pandera", 0.8),
    "drift": ("pandas and scipy", 0.5),
}
MORE_ROWS = """
import importlib, sys
from pathlib import Path
from mlops_platform.models import team
make = importlib.import_module(team.load_team(Path("conf")).package + ".sample").make
rows = make(200_000, seed=1)
for part in range(int(sys.argv[2]) * 5):
    rows["loan_id"] = [f"N{part:03}-{row:06}" for row in range(len(rows))]
    rows.to_csv(sys.argv[1], index=False, mode="a", header=not part)
"""


def main() -> None:
    """Measure and write the results."""
    sizes = [int(size) for size in sys.argv[1:]] or [1]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        project = make_project(scratch / "project")
        subprocess.run(
            ["uv", "pip", "install", "-q", "--python", python(project), *PACKAGES], check=True
        )
        results = {f"{size} million rows": measure(project, scratch, size) for size in sizes}
    write(
        "tables",
        {
            "targets": {name: f"{most} times {peer}" for name, (peer, most) in TARGETS.items()},
            **results,
        },
    )


def measure(project: Path, scratch: Path, millions: int) -> dict[str, object]:
    """All four steps and their peers on one file."""
    data = project / "data" / "raw"
    new = scratch / "new.csv"
    new.unlink(missing_ok=True)
    timed([python(project), "-c", MORE_ROWS, str(new), str(millions)], project)
    sample = next(data.iterdir())
    kept = scratch / "sample.csv"
    sample.rename(kept)
    new.rename(sample)
    out = str(scratch / "out")
    mlops = str(Path(python(project)).with_name("mlops"))
    timed([mlops, "score", "--data", str(kept), "--scores", out, "--out", out], project)
    model = next((project / ".mlops" / "models").glob("*/model"))  # what scoring has fetched
    ours = {
        "validate": [mlops, "validate", "--raw", str(sample), "--out", out],
        "prepare": [mlops, "prepare", "--raw", str(sample), "--validated", out, "--out", out],
        "batch": [mlops, "score", "--data", str(sample), "--scores", out, "--out", out],
        "drift": [mlops, "drift", "--current", str(sample), "--out", out],
    }
    found: dict[str, object] = {"file_mb": round(sample.stat().st_size / 1e6)}
    for name, (peer, most) in TARGETS.items():
        theirs = [python(project), str(PEERS), name, str(sample), str(kept), str(model), out]
        pairs = [(run(ours[name], project), run(theirs, project)) for _ in range(ROUNDS)]
        ratio = statistics.median(own.cpu / other.cpu for own, other in pairs)
        found[name] = {
            "cpu_seconds": round(statistics.median(own.cpu for own, _ in pairs), 2),
            f"cpu_seconds of {peer}": round(statistics.median(other.cpu for _, other in pairs), 2),
            "ratio": round(ratio, 2),
            "ratio_at_most": most,
            "peak_mb": round(max(own.peak_mb for own, _ in pairs)),
            "peak_mb of the peer": round(max(other.peak_mb for _, other in pairs)),
        }
    sample.unlink()
    kept.rename(sample)
    return found


def run(command: list[str], project: Path) -> Run:
    """A timed command; a drift is no failure of it."""
    shell = " ".join(f"'{word}'" for word in command)
    return timed(["sh", "-c", f"{shell} || [ $? = 3 ]"], project)


def python(project: Path) -> str:
    """The project's interpreter."""
    return str(project / ".venv" / "bin" / "python")


if __name__ == "__main__":
    main()
