"""`hooks fleet` with many projects, with URLs and lists, and the commands of docs/fleet.md."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks.fleet import worker
from hooks.fleet.pool import WorkerKilledError, run_in_processes
from tests.rendering import ROOT, commit_all
from tests.update.fleets import (
    BRANCH,
    FLEET,
    Fleet,
    answers,
    command_lines,
    edit,
    git,
    hooks_environment,
    published,
    rows,
    update_by_hand,
    write,
)

# ---------------------------------------------------------------- many at once


def killer(folder: Path, victim: str) -> str:
    """A PATH on which `git clone` of one project kills the process that called it."""
    script = (
        f'#!/bin/sh\ncase " $* " in *" clone "*/{victim}" "*) kill -9 $PPID; exit 1;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    write(folder, "git", script)
    (folder / "git").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_a_killed_worker_does_not_stop_others(fleet: Fleet) -> None:
    made = {name: fleet.start(name) for name in ("one", "victim", "two", "three", "four")}
    path = killer(fleet.home / "bin", "victim")
    found = rows(fleet.run("update", "--json", *made.values(), expect=1, PATH=path))
    states = {name: row["state"] for name, row in found.items()}
    assert states.pop("victim") == "failed"
    assert "killed" in found["victim"]["note"]
    assert set(states.values()) == {"updated"}
    assert git(made["victim"], "branch", "--list", BRANCH) == ""
    found = rows(fleet.run("update", "--json", *made.values()))
    assert found.pop("victim")["state"] == "updated"
    assert {row["state"] for row in found.values()} == {"there already"}
    assert {answers(path, BRANCH)["_commit"] for path in made.values()} == {"v0.2.0"}


def worker_environment(item: int) -> dict[str, Any]:
    """A worker's own folders and process id; item 3 kills its worker."""
    time.sleep(0.5)  # long enough for the other worker to take one too
    if item == 3:
        os.kill(os.getpid(), 9)
    return {name: os.environ[name] for name in ("COPIER_CACHE_DIR", "TMPDIR")} | {
        "process": os.getpid()
    }


def test_workers_share_no_cache(tmp_path: Path) -> None:
    results = dict(
        run_in_processes(worker_environment, range(8), jobs=2, start=worker.start, scratch=tmp_path)
    )
    assert isinstance(results.pop(3), WorkerKilledError)
    folders_of = {
        row["process"]: (row["COPIER_CACHE_DIR"], row["TMPDIR"]) for row in results.values()
    }
    assert len(folders_of) == 3  # two, and one that replaces the killed worker
    for folders in zip(*folders_of.values(), strict=True):
        assert len(set(folders)) == len(folders_of)
        assert all(tmp_path in Path(folder).parents for folder in folders)
    for row in results.values():
        assert folders_of[row["process"]] == (row["COPIER_CACHE_DIR"], row["TMPDIR"])


def test_nothing_is_left_behind(fleet: Fleet) -> None:
    project, scratch = fleet.start("p"), fleet.home / "scratch"
    scratch.mkdir()
    fleet.run("update", project, TMPDIR=str(scratch))
    assert list(scratch.iterdir()) == []


# ---------------------------------------------------------------- URLs


def test_a_project_behind_a_url(fleet: Fleet) -> None:
    bare, url = published(fleet.start("far"), fleet.home)
    row = rows(fleet.run("update", "--json", url))["far"]
    clone = Path(row["folder"])
    assert clone.parent == fleet.home / "clones"
    assert git(clone, "rev-parse", "--is-shallow-repository") == "true"
    assert answers(clone, BRANCH)["_commit"] == "v0.2.0"
    assert git(bare, "branch", "--list", BRANCH) == ""
    assert rows(fleet.run("update", "--json", "--push", url))["far"]["state"] == "there already"
    assert answers(bare, BRANCH)["_commit"] == "v0.2.0"
    shutil.rmtree(clone)  # another machine: the branch at origin counts
    row = rows(fleet.run("update", "--json", url))["far"]
    assert (row["state"], row["branch"]) == ("there already", f"origin/{BRANCH}")


def test_a_clone_follows_its_origin(fleet: Fleet) -> None:
    project = fleet.start("far")
    bare, url = published(project, fleet.home)
    assert rows(fleet.run("status", "--json", url))["far"]["state"] == "behind"
    edit(project, "poe_tasks.toml", "# line 3\n", "# ours\n")
    git(project, "push", "--quiet", str(bare), "main")
    row = rows(fleet.run("status", "--json", url, expect=1))["far"]
    assert row["conflicts"] == ["poe_tasks.toml"]
    clone = Path(row["folder"])
    write(clone, "README.md", "work in the wrong place")
    row = rows(fleet.run("status", "--json", url, expect=1))["far"]
    assert "somebody changed this clone" in row["note"]
    assert (clone / "README.md").read_text() == "work in the wrong place"


def test_an_unreachable_url_is_a_row(fleet: Fleet) -> None:
    url = f"file://user:secret@/{fleet.home}/nowhere.git"
    done = fleet.run("status", "--json", url, fleet.start("here"), expect=1)
    found = rows(done)
    assert found["nowhere"]["state"] == "failed"
    assert found["here"]["state"] == "behind"
    assert "secret" not in done.stdout + done.stderr
    assert list((fleet.home / "clones").iterdir()) == []


def test_a_template_behind_a_url_is_fetched_once(fleet: Fleet) -> None:
    """Three updates by one worker contact the template server once; Copier alone often."""
    source = f"git+{fleet.template.as_uri()}"
    made = [fleet.start(name, source=source) for name in ("one", "two", "three")]
    trace = fleet.home / "trace"
    fleet.run("update", "--jobs", "1", *made, GIT_TRACE=str(trace))
    command = f"git-upload-pack '\\''{fleet.template}'\\''"
    lines = trace.read_text().splitlines()
    assert len([line for line in lines if command in line and "run_command" in line]) == 1
    assert len([line for line in lines if "built-in: git worktree add" in line]) == 2  # releases
    for project in made:
        assert answers(project, BRANCH)["_src_path"] == source
        assert answers(project, BRANCH)["_commit"] == "v0.2.0"


# ---------------------------------------------------------------- the list, the matrix, wrong use


def test_folders_are_relative_to_the_list(fleet: Fleet) -> None:
    project = fleet.start("one")
    text = f"# ours\n\none # the first\n{project}\nmissing\n"
    write(fleet.home, "lists/projects.txt", text.replace("one #", "../one #"))
    done = fleet.run("status", "--json", "--list", "lists/projects.txt", expect=1)
    places = [row["place"] for row in json.loads(done.stdout)["projects"]]
    assert places == [str(project), str(fleet.home / "lists" / "missing")]


def test_the_matrix_has_the_format_of_each_engine(fleet: Fleet) -> None:
    project = fleet.start("one")
    git(project, "remote", "add", "origin", "https://user:secret@example.com/one.git")
    made = fleet.run("matrix", project, "git@example.com:two.git", "--format", "github")
    assert json.loads(made.stdout) == {
        "include": [
            {"batch": 1, "projects": "https://example.com/one.git"},
            {"batch": 2, "projects": "git@example.com:two.git"},
        ]
    }
    made = fleet.run("matrix", project, "--format", "azure")
    assert json.loads(made.stdout) == {"batch_1": {"projects": "https://example.com/one.git"}}


def test_an_origin_on_this_machine_is_refused(fleet: Fleet) -> None:
    project = fleet.start("one")
    git(project, "remote", "add", "origin", "../one.git")
    error = fleet.run("matrix", project, "--format", "github", expect=2).stderr
    assert f"{project}: its origin '../one.git' is not a URL" in error
    assert "`git remote set-url origin URL`" in error


@pytest.mark.parametrize(("number", "jobs"), [(256, 256), (257, 129), (5000, 250)])
def test_a_matrix_has_at_most_256_jobs(fleet: Fleet, number: int, jobs: int) -> None:
    urls = [f"https://example.com/{each}.git" for each in range(number)]
    write(fleet.home, "projects.txt", "\n".join(urls))
    made = fleet.run("matrix", "--list", "projects.txt", "--format", "github")
    batches = [each["projects"].split() for each in json.loads(made.stdout)["include"]]
    assert len(batches) == jobs
    assert [url for batch in batches for url in batch] == urls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status"], "no project given"),
        (["status", "--list", "nowhere.txt"], "nowhere.txt: the list cannot be read"),
        (["update", ".", "--jobs", "0"], "0 is less than 1"),
        (["matrix", ".", "--format", "jenkins"], "invalid choice"),
        (["matrix", "local", "--format", "github"], "local: has no remote `origin`. Give the"),
        (["matrix", "nowhere", "--format", "github"], "Give a git clone, or the project's URL"),
        (["status", "local", "--html", "nowhere/page.html"], "the page cannot be written"),
        ([], "required: command"),
    ],
)
def test_wrong_use_is_reported_and_nothing_is_done(
    fleet: Fleet, arguments: list[str], message: str
) -> None:
    write(fleet.home, "local/README.md", "x")
    commit_all(fleet.home / "local", "Start")
    done = subprocess.run(
        [*FLEET, *arguments],
        cwd=fleet.home,
        env=hooks_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- the page of the docs


def commands(kind: str) -> Iterator[str]:
    """The code blocks of one kind in docs/fleet.md."""
    text = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    for part in text.split(f"```{kind}\n")[1:]:
        yield part.split("```")[0]


def test_every_command_of_the_page_runs(fleet: Fleet) -> None:
    project = fleet.start("one")
    bare, _ = published(project, fleet.home)
    git(project, "remote", "add", "origin", str(bare))
    write(fleet.home, "projects.txt", "one\n")
    lines = [line for block in commands("sh") for line in block.splitlines()]
    assert len(lines) == 10
    path, asked = command_lines(fleet.home)
    for line in lines:
        if "matrix" in line:  # a matrix needs URLs
            git(project, "remote", "set-url", "origin", bare.as_uri())
        run_script(line, fleet.home, hooks_environment(PATH=path))
    assert (fleet.home / "fleet.html").is_file()
    assert "<td>behind<small>drift 0" in (fleet.home / "overview.html").read_text(encoding="utf-8")
    assert [each["branch"] for each in json.loads(asked.read_text())] == [BRANCH]
    assert answers(bare, BRANCH)["_commit"] == "v0.2.0"


def test_committed_conflict_markers_are_found(fleet: Fleet) -> None:
    """What Renovate does: it commits an update with conflict markers."""
    project = fleet.start("one")
    edit(project, "poe_tasks.toml", "# line 3\n", "# ours\n")
    update_by_hand(project)
    commit_all(project, "Update")
    row = rows(fleet.run("status", "--json", project, expect=1))["one"]
    assert "markers are committed in poe_tasks.toml" in row["note"]


def test_the_jobs_of_the_page_update_and_push(fleet: Fleet) -> None:
    """The matrix and the script of a job create a branch at origin."""
    bare, url = published(fleet.start("one"), fleet.home)
    write(fleet.home, "projects.txt", url)
    path, asked = command_lines(fleet.home)
    jobs_of_fleet = [block for block in commands("yaml") if "hooks fleet" in block]
    for block, engine in zip(jobs_of_fleet, ("github", "azure"), strict=True):
        jobs = yaml.safe_load(block)["jobs"]
        if engine == "github":
            plan, work = (jobs[name]["steps"][0]["run"] for name in ("plan", "update"))
        else:
            plan, work = (job["steps"][0]["bash"] for job in jobs)
        output = fleet.home / "output"
        environment = hooks_environment(GITHUB_OUTPUT=str(output), PATH=path)
        made = run_script(plan, fleet.home, environment)
        text = output.read_text().removeprefix("matrix=") if engine == "github" else made[1:]
        found = json.loads(text[text.index("{") :])
        batch = found["include"][0] if engine == "github" else found["batch_1"]
        run_script(work, fleet.home, {**environment, "PROJECTS": batch["projects"]})
        assert answers(bare, BRANCH)["_commit"] == "v0.2.0"
        git(bare, "branch", "-D", BRANCH)
        assert [each["branch"] for each in json.loads(asked.read_text())] == [BRANCH]
        asked.unlink()


def run_script(script: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a job's script like the CI service; returns its output."""
    script = script.replace("uv run python", f'"{sys.executable}"')
    clones = f"update --clones '{folder / 'clones'}' --pull-request"
    script = script.replace("update --pull-request", clones)
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout
