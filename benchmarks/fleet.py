"""Time of `hooks fleet update` per project, compared with a loop over `copier update`.

The template is behind a URL, as in a company. Both have warm caches if they use any. The loop
neither commits nor creates a branch. Also measured: update compared with copy, and the project's
own `template-check`. `uv run python benchmarks/fleet.py [PROJECTS] [ROUNDS]`
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import copier
from measuring import ROOT, Run, summary, timed, write

from tests.rendering import commit_all, copy_template

TARGETS = {
    "fleet_times_faster_at_least": 3.0,
    "update_times_the_copy_at_most": 2.5,
    "template_check_seconds_at_most": 3,
}
OLD, NEW = "v0.1.0", "v0.2.0"
ANSWER = "project_name=Credit Risk"
UPDATE = ["copier", "update", "--quiet", "--defaults"]
CHECK = ["uv", "run", "--quiet", "poe", "--quiet", "template-check"]
FLEET = [sys.executable, "-m", "hooks", "fleet", "update"]


def main(number: int, rounds: int) -> None:
    """Measure, check that nothing was lost, and write both result files."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ["COPIER_CACHE_DIR"] = str(scratch / "cache")
        source = "git+" + releases(scratch / "copier-mlops").as_uri()
        projects = [start(source, scratch / "projects" / str(each)) for each in range(number)]
        one = by_hand(source, projects[0], scratch, rounds)
        one["template_check"] = checked(scratch / "copier-mlops", scratch / "checked", rounds)
        loop: list[Run] = []
        for project in projects:
            loop.append(timed([*UPDATE, str(project)], scratch))
            restore(project)
        fleet = timed([*FLEET, *map(str, projects)], ROOT)
        updated = sum(is_updated(project, projects[0]) for project in projects)
        assert updated == number, f"{number - updated} projects have another branch"
    seconds = {"loop": sum(run.seconds for run in loop) / number, "fleet": fleet.seconds / number}
    write(
        "fleet",
        {
            "targets": TARGETS,
            "projects": number,
            "updated": updated,
            "times_faster": round(seconds["loop"] / seconds["fleet"], 2),
            "seconds_a_project": {name: round(each, 3) for name, each in seconds.items()},
            "minutes_for_1000": {
                name: round(each * 1000 / 60, 1) for name, each in seconds.items()
            },
            "fleet_seconds": round(fleet.seconds, 1),
            "loop": summary(loop),
        },
    )
    medians = {name: summary(runs)["median_seconds"] for name, runs in one.items()}
    write(
        "update",
        {
            "targets": TARGETS,
            "times_the_copy": round(medians["update"] / medians["copy"], 2),
            **{name: summary(runs) for name, runs in one.items()},
        },
    )


def releases(folder: Path) -> Path:
    """The working tree as two releases, with a change in one managed file."""
    copy_template(folder)
    commit_all(folder, OLD)
    subprocess.run(["git", "tag", OLD], cwd=folder, check=True)
    tasks = folder / "template" / "poe_tasks.toml.jinja"
    tasks.write_text(tasks.read_text(encoding="utf-8") + "\n# new\n", encoding="utf-8")
    commit_all(folder, NEW)
    subprocess.run(["git", "tag", NEW], cwd=folder, check=True)
    return folder


def start(source: str, folder: Path) -> Path:
    """An unedited project of the first release, committed."""
    data = {"project_name": "Credit Risk"}
    copier.run_copy(source, folder, data=data, vcs_ref=OLD, defaults=True, quiet=True)
    commit_all(folder, "Start")
    return folder


def by_hand(source: str, project: Path, scratch: Path, rounds: int) -> dict[str, list[Run]]:
    """Copy and update of one project on the command line, alternating."""
    found: dict[str, list[Run]] = {"copy": [], "update": []}
    copy = ["copier", "copy", "--quiet", "--defaults", "--vcs-ref", NEW, "--data", ANSWER, source]
    for number in range(-1, rounds):  # the first round fills caches and does not count
        copied = timed([*copy, str(scratch / f"copy{number}")], scratch)
        updated = timed([*UPDATE, str(project)], scratch)
        restore(project)
        if number >= 0:
            found["copy"].append(copied)
            found["update"].append(updated)
        shutil.rmtree(scratch / f"copy{number}")
    return found


def checked(template: Path, project: Path, rounds: int) -> list[Run]:
    """`poe template-check` with a local template, on a machine with uv and without Copier."""
    copier.run_copy(
        f"git+{template.as_uri()}",
        project,
        data={"project_name": "Credit Risk"},
        defaults=True,
        quiet=True,
    )
    commit_all(project, "Start")
    own = str(Path(sys.prefix, "bin"))
    path = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join(each for each in path.split(os.pathsep) if each != own)
    try:
        return [timed(CHECK, project) for _ in range(-1, rounds)][1:]
    finally:
        os.environ["PATH"] = path


def restore(project: Path) -> None:
    """Revert an update."""
    for command in (["reset", "--quiet", "--hard"], ["clean", "-fdq"]):
        subprocess.run(["git", *command], cwd=project, check=True)


def is_updated(project: Path, first: Path) -> bool:
    """Whether the branch has the template's change, the same in each project; main is unchanged.

    Raises CalledProcessError if there is no branch.
    """

    def git(folder: Path, *arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout

    branch = f"copier-update-{NEW}"
    tree = git(project, "rev-parse", f"{branch}^{{tree}}")
    return (
        "# new" in git(project, "show", f"{branch}:poe_tasks.toml")
        and tree == git(first, "rev-parse", f"{branch}^{{tree}}")
        and not git(project, "status", "--porcelain")
        and "# new" not in git(project, "show", "main:poe_tasks.toml")
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(50, 5)[len(given) :])
