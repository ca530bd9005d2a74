"""Processor time of what people do in a project, beside the same in a project of release 0.7.0.

Measured in turns, so that a busy moment of the machine hits both alike.
`uv run python benchmarks/beside_release.py [RUNS]`
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import copier
from measuring import Run, timed, write

from hooks.release.history import tagged_clone
from tests.rendering import commit_all

OLD = "v0.7.0"
UPDATE = ["copier", "update", "--quiet", "--defaults"]
ANSWER = {"project_name": "Credit Risk"}
AT_MOST = {  # of the old release's
    "copy": 0.5,
    "update": 0.6,
    "poe check": 0.75,
    "mlops --help": 0.5,
    "mlops settings": 0.25,
}
AT_MOST_OF_MLFLOW = 1.2  # `mlops models` and `mlops runs`, of `import mlflow`
AT_MOST_FILES = {"rendered": 105, "changed by a patch release": 12}
MLOPS = {"mlops --help": ["--help"], "mlops settings": ["settings"]}
REGISTRY = {"mlops models": ["models"], "mlops runs": ["runs"]}


def git(folder: Path, *words: str) -> str:
    """What a git command prints."""
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def main(runs: int) -> None:
    """Measure both, and write the results."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        now = tagged_clone(scratch / "clone")[-1].tag
        sides = {name: side(scratch, tag) for name, tag in (("old", OLD), ("new", now))}
        found: dict[str, dict[str, list[Run]]] = {}
        for number in range(-1, runs):  # the first round fills caches and does not count
            for name, (template, project) in sides.items():
                for what, run in measured(template, project, scratch / f"{name}{number}").items():
                    if number >= 0:
                        found.setdefault(what, {}).setdefault(name, []).append(run)
        files = {
            "rendered": len(git(sides["new"][1], "ls-files").splitlines()) - 1,  # but uv.lock
            "changed by a patch release": patched(*sides["new"], scratch / "patched"),
        }
    cpu = {
        what: {name: round(min(run.cpu for run in each), 3) for name, each in both.items()}
        for what, both in found.items()
    }
    mlflow = cpu.pop("import mlflow")["new"]
    write(
        "beside_release",
        {
            "release": OLD,
            "runs": runs,
            "targets": {
                "times_the_old_at_most": AT_MOST,
                "registry_times_import_mlflow_at_most": AT_MOST_OF_MLFLOW,
                "files_at_most": AT_MOST_FILES,
            },
            "times_the_old": {
                what: round(cpu[what]["new"] / cpu[what]["old"], 2) for what in AT_MOST
            },
            "times_import_mlflow": {what: round(cpu[what]["new"] / mlflow, 2) for what in REGISTRY},
            "files": files,
            "cpu_seconds": {**cpu, "import mlflow": mlflow},
        },
    )


def side(scratch: Path, tag: str) -> tuple[Path, Path]:
    """A template of one release and a patch after it, and a synced project with a champion."""
    template, project = scratch / f"template-{tag}", scratch / f"project-{tag}"
    git(scratch, "clone", "--quiet", str(scratch / "clone"), str(template))
    git(template, "checkout", "--quiet", "--detach", tag)
    for other in set(git(template, "tag").split()) - {tag}:
        git(template, "tag", "--delete", other)
    copier.run_copy(str(template), project, data=ANSWER, vcs_ref=tag, defaults=True, quiet=True)
    timed(["uv", "sync", "--quiet", "--compile-bytecode"], project)
    commit_all(project, "Start")
    timed(["uv", "run", "mlops", "run", "pipelines/train.yml"], project)
    page = template / "template" / "docs" / "gates.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nPatched.\n", encoding="utf-8")
    for wheel in template.glob("template/*vendor*/*.whl"):
        number = wheel.name.split("-")[1]
        wheel.rename(wheel.with_name(wheel.name.replace(number, "99.0.0")))
        settings = template / "copier.yml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(f'"{number}"', '"99.0.0"'), encoding="utf-8")
    commit_all(template, "Patch")
    git(template, "tag", "v99.0.0")
    return template, project


def measured(template: Path, project: Path, folder: Path) -> dict[str, Run]:
    """One round of one side."""
    folder.mkdir()
    copy = ["copier", "copy", "--quiet", "--defaults", "--data", "project_name=Credit Risk"]
    python, mlops = str(project / ".venv/bin/python"), str(project / ".venv/bin/mlops")
    made = {
        "copy": timed([*copy, str(template), str(folder / "copy")], folder),
        "poe check": timed(["uv", "run", "--quiet", "poe", "--quiet", "check"], project),
        "import mlflow": timed([python, "-c", "import mlflow"], project),
        **{name: timed([mlops, *words], project) for name, words in (MLOPS | REGISTRY).items()},
    }
    updated = shutil.copytree(project, folder / "updated", ignore=shutil.ignore_patterns(".venv"))
    made["update"] = timed([*UPDATE, str(updated)], folder)
    return made


def patched(template: Path, project: Path, folder: Path) -> int:
    """How many files a release changes that has a new platform package and one new page."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".venv"))
    timed([*UPDATE, str(folder)], folder.parent)
    return len(git(folder, "status", "--porcelain", "--untracked-files=all").splitlines())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
