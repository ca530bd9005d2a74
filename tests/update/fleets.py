"""A small template with two releases, its projects, and what `hooks fleet` must not change."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import yaml

from tests.rendering import ROOT, commit_all

FLEET = (sys.executable, "-m", "hooks", "fleet")
BRANCH = "copier-update-v0.2.0"
MANAGED = "".join(f"# line {number}\n" for number in range(20))
BASE = {
    "copier.yml": (
        "_subdirectory: template\n"
        "_exclude: [\"{% if _copier_operation == 'update' %}conf/**{% endif %}\"]\n"
        "project_name: {type: str}\n"
        "team: {type: str, default: lending}\n"
        "user_email: {type: str, default: lending@example.com}\n"
        "flavour: {type: str, default: sour, choices: [sour, sweet]}\n"
    ),
    "template/{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml }}",
    "template/poe_tasks.toml": MANAGED,
    "template/.editorconfig": MANAGED,
    "template/docs/old.md": "Old.\n",
    "template/conf/project.yml": "stage: develop\n",
    "template/README.md.jinja": "# {{ team }}\n",
}


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(folder: Path, file: str, content: str | bytes) -> None:
    """Make or replace a file."""
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())


def small_template(folder: Path) -> Path:
    """Releases v0.1.0 and v0.2.0, which changes line 3, drops a file, a choice and a picture."""
    for file, text in BASE.items():
        write(folder, file, text)
    write(folder, "template/docs/picture.png", b"\x89PNG\0one")
    commit_all(folder, "v0.1.0")
    git(folder, "tag", "v0.1.0")
    write(folder, "template/poe_tasks.toml", MANAGED.replace("# line 3\n", "# new\n"))
    write(folder, "template/docs/new.md", "New.\n")
    write(folder, "template/docs/picture.png", b"\x89PNG\0two")
    (folder / "template" / "docs" / "old.md").unlink()
    settings = BASE["copier.yml"].replace("[sour, sweet]", "[sour]")
    write(folder, "copier.yml", settings)
    commit_all(folder, "v0.2.0")
    git(folder, "tag", "v0.2.0")
    return folder


@dataclass(frozen=True)
class Fleet:
    """A template, and a folder with its projects."""

    template: Path
    home: Path

    def start(self, name: str, *, version: str = "v0.1.0", **answers: Any) -> Path:
        """A project, committed."""
        copier.run_copy(
            str(answers.pop("source", self.template)),
            self.home / name,
            data={"project_name": name, **answers},
            vcs_ref=version,
            defaults=True,
            quiet=True,
        )
        commit_all(self.home / name, "Start")
        return self.home / name

    def run(
        self, *arguments: str | Path, expect: int = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m hooks fleet` with its own clones; its exit code must be `expect`.

        A variable of the environment that is given as empty is left out.
        """
        command, *rest = map(str, arguments)
        clones = ["--clones", str(self.home / "clones"), "--jobs", "2"]
        first = [command, *(clones if command in ("status", "overview", "update") else [])]
        done = subprocess.run(
            [*FLEET, *first, *rest],
            cwd=self.home,
            env=hooks_environment(**environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == expect, f"{done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done


def hooks_environment(**more: str) -> dict[str, str]:
    """The environment in which `python -m hooks` works in any folder; empty values are left out."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return {name: value for name, value in given.items() if value}


def rows(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """The rows that `--json` printed, by the project's name."""
    return {row["name"]: row for row in json.loads(done.stdout)["projects"]}


def update_by_hand(project: Path) -> None:
    """Copier's own update, on the command line."""
    subprocess.run(
        [sys.executable, "-m", "copier", "update", "--defaults", "--quiet"], cwd=project, check=True
    )


def published(project: Path, home: Path) -> tuple[Path, str]:
    """A bare repository of a project, and its URL."""
    bare = home / f"{project.name}.git"
    git(home, "clone", "--quiet", "--bare", str(project), str(bare))
    return bare, bare.as_uri()


def edit(project: Path, file: str, old: str, new: str) -> None:
    """Change a file and commit."""
    text = (project / file).read_text(encoding="utf-8")
    assert old in text
    write(project, file, text.replace(old, new))
    commit_all(project, "Edit")


def answers(project: Path, revision: str = "HEAD") -> Any:
    """The answers in a revision."""
    return yaml.safe_load(git(project, "show", f"{revision}:.copier-answers.yml"))


def user_state(project: Path) -> dict[str, Any]:
    """Everything in a clone that belongs to its user: files with times, index, refs, stash."""
    hidden = project / ".git"
    return {
        "files": {
            path.relative_to(project).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(project.rglob("*"))
            if path.is_file() and hidden not in path.parents
        },
        "index": ((hidden / "index").stat().st_mtime_ns, (hidden / "index").read_bytes()),
        "head": (hidden / "HEAD").read_text(),
        "config": (hidden / "config").read_text(),
        "fetch head": (hidden / "FETCH_HEAD").exists(),
        "refs": [
            line
            for line in git(project, "for-each-ref").splitlines()
            if not line.split("\t")[1].startswith("refs/heads/copier-update-")
        ],
        "stash": git(project, "stash", "list"),
        "work trees": git(project, "worktree", "list"),
    }


# What `gh` and `az` do for `hooks fleet`, as their manuals say: they keep what they are asked.
COMMAND_LINE = """#!{python}
import json, os, sys
from pathlib import Path
kept, program, words = Path({kept!r}), Path(sys.argv[0]).name, sys.argv[1:]
made = json.loads(kept.read_text()) if kept.exists() else []
branch = words[words.index("--head" if program == "gh" else "--source-branch") + 1]
if os.environ.get("REFUSES"):
    sys.exit("could not resolve to a Team: https://user:secret@host")
found = [each for each in made if each["branch"] == branch and each["folder"] == os.getcwd()]
if "create" in words:
    assert not found
    found = [{{"program": program, "branch": branch, "folder": os.getcwd(), "words": words}}]
    kept.write_text(json.dumps(made + found))
    answer = {{"pullRequestId": 7, "repository": {{"webUrl": "https://dev.azure.com/o/p/_git/r"}}}}
    print("Creating ...\\nhttps://github.com/o/r/pull/7" if program == "gh" else json.dumps(answer))
elif program == "gh":
    print(json.dumps([{{"url": "https://github.com/o/r/pull/7"}} for _ in found]))
else:
    web = {{"webUrl": "https://dev.azure.com/o/p/_git/r"}}
    print(json.dumps([{{"pullRequestId": 7, "repository": web}} for _ in found]))
"""


def command_lines(home: Path) -> tuple[str, Path]:
    """Stand-ins for `gh` and `az`: a PATH that has them, and the file of what they made."""
    folder, kept = home / "command-lines", home / "pull-requests.json"
    folder.mkdir(exist_ok=True)
    for program in ("gh", "az"):
        script = COMMAND_LINE.format(python=sys.executable, kept=str(kept))
        (folder / program).write_text(script, encoding="utf-8")
        (folder / program).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}", kept
