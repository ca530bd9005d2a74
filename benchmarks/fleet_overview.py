"""Time of `hooks fleet overview` for 500 projects, beside `git ls-remote` of the same number.

The projects are bare repositories behind URLs: one rendered example, each with files of its own.
Both run in as many threads. `uv run python benchmarks/fleet_overview.py [PROJECTS] [ROUNDS]`
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from measuring import ROOT, summary, timed, write

from tests.rendering import commit_all

TARGETS = {
    "seconds_for_500_at_most": 30,  # when the last commits are there already
    "times_ls_remote_at_most": 5,  # of files, where asking costs no network
}
EXAMPLE = ROOT / "examples" / "credit-risk"
COMPONENT = "# Ours\nname: {name}\nversion: '1'\ntype: command\ncommand: python clean.py\n"
DIMENSIONS = ("people", "model creation", "release", "application integration")
JOBS = 4 * (os.cpu_count() or 1)
OVERVIEW = [sys.executable, "-m", "hooks", "fleet", "overview", "--jobs", str(JOBS)]


def main(number: int, rounds: int) -> None:
    """Measure, and check that every project was read."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        urls = [each.as_uri() for each in projects(scratch, number)]
        (scratch / "projects.txt").write_text("\n".join(urls) + "\n", encoding="utf-8")
        given = ["--list", str(scratch / "projects.txt"), "--clones", str(scratch / "clones")]
        command = [*OVERVIEW, *given, "--html", str(scratch / "overview.html")]
        first = timed(command, ROOT)  # it fails where a project could not be read
        asked, again = [], []
        for _ in range(rounds):
            asked.append(ls_remote(urls))
            again.append(timed(command, ROOT))
        page = (scratch / "overview.html").stat().st_size
    medians = summary(again)["median_seconds"], sorted(asked)[rounds // 2]
    write(
        "fleet_overview",
        {
            "targets": TARGETS,
            "projects": number,
            "threads": JOBS,
            "first_seconds": round(first.seconds, 1),
            "again": summary(again),
            "ls_remote": {
                "median_seconds": round(medians[1], 3),
                "seconds": [round(each, 3) for each in asked],
            },
            "times_ls_remote": round(medians[0] / medians[1], 2),
            "peak_mb": round(max(run.peak_mb for run in again), 1),
            "page_kb": page // 1000,
        },
    )


def ls_remote(urls: list[str]) -> float:
    """Seconds to ask all for their last commit."""

    def ask(url: str) -> None:
        command = ["git", "ls-remote", "--quiet", url, "HEAD"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    started = time.perf_counter()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(ask, urls))
    return time.perf_counter() - started


def projects(scratch: Path, number: int) -> list[Path]:
    """Bare repositories, each with a commit of its own on top of the same example."""
    template, base = scratch / "template", scratch / "base"
    template.mkdir()
    for release in ("v1.0.0", "v2.0.0", "v2.1.0"):
        commit_all(template, release)
        subprocess.run(["git", "tag", release], cwd=template, check=True)
    shutil.copytree(EXAMPLE, base)
    commit_all(base, "Start")
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], cwd=base, check=True)
    made = []
    for each in range(number):
        bare = scratch / "projects" / f"model-{each:03d}.git"
        shutil.copytree(base / ".git", bare, ignore=shutil.ignore_patterns("objects", "hooks"))
        objects = bare / "objects" / "info"
        objects.mkdir(parents=True)
        (bare / "objects" / "pack").mkdir()
        (objects / "alternates").write_text(f"{base / '.git' / 'objects'}\n", encoding="utf-8")
        subprocess.run(
            ["git", "fast-import", "--quiet"],
            cwd=bare,
            input=commit(files(each, template)),
            check=True,
        )
        made.append(bare)
    return made


def commit(content: dict[str, str]) -> bytes:
    """What `git fast-import` reads."""
    lines = ["commit refs/heads/main", "committer A <a@example.com> 1700000000 +0000"]
    text = "\n".join([*lines, "data 5", "Ours.", "from refs/heads/main^0", ""]).encode()
    for path, body in content.items():
        data = body.encode()
        text += f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
    return text


def files(each: int, template: Path) -> dict[str, str]:
    """What differs between the projects."""
    name, stage = f"model-{each:03d}", ("explore", "develop", "operate")[each % 3]
    levels = [(each + add) % 5 for add in range(len(DIMENSIONS))]
    parts = ", ".join(f"{name} {level}" for name, level in zip(DIMENSIONS, levels, strict=True))
    mark = "<!-- measured by `poe maturity` -->"
    line = (
        f"Maturity level {min(levels)} of 4, any: {parts}. Measured on 2026-11-{1 + each % 28:02d}."
    )
    until = date.today() + timedelta(days=each % 200 - 20)
    despite = f"[{{criterion: budget, by: A, until: {until}}}]" if each % 5 == 0 else "[]"
    decision = (
        f"- {{to: {stage}, why: w, by: A, date: 2026-01-01, commit: '', criteria: {{}}, "
        f"despite: {despite}}}"
    )
    spec = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    team = '"holidays", "geopandas"' if each % 2 else '"holidays"'
    dev = (EXAMPLE / "conf" / "dev.yml").read_text(encoding="utf-8")
    found = {
        ".copier-answers.yml": (
            f"_commit: v{('1.0.0', '2.0.0', '2.1.0')[each % 7 % 3]}\n_src_path: {template}\n"
            f"project_name: Model {each:03d}\nteam: team-{each % 20}\n"
        ),
        "conf/project.yml": f"name: {name}\nstage: {stage}\n",
        "conf/stage.yml": "decisions: []\n" if each % 3 == 0 else f"decisions:\n{decision}\n",
        "README.md": f"# Model\n\n{line} {mark}\n" if each % 4 else f"# Model\n\nNever. {mark}\n",
        "conf/dev.yml": dev.replace("credit-risk", name),
        "conf/consumers.yml": f"consumers: {{web-{each % 9}: {{reads: {{version: text}}}}}}\n",
        "pyproject.toml": spec.replace("team = []", f"team = [{team}]").replace("credit", name),
    }
    if each % 10 == 0:
        found["pipelines/components/clean.yml"] = COMPONENT.format(name=f"clean-{each % 20}")
    return found


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(500, 3)[len(given) :])
