"""`hooks fleet` with projects in every state; the tests check what is in git afterwards."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from playwright.sync_api import sync_playwright

from hooks.fleet import pool
from hooks.fleet.page import page
from hooks.fleet.rows import Row
from tests.rendering import commit_all, copy_template
from tests.update.fleets import (
    BRANCH,
    FLEET,
    MANAGED,
    Fleet,
    answers,
    edit,
    git,
    hooks_environment,
    rows,
    small_template,
    update_by_hand,
    user_state,
    write,
)

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = "<script>alert('\"&amp;\x1b[31m"


def projects_in_every_state(fleet: Fleet) -> dict[str, Path]:
    """One project in each possible state."""
    made = {
        name: fleet.start(name)
        for name in ("behind", "drifted", "conflicting", "dirty", "gone", "deleted", "broken")
    }
    made["current"] = fleet.start("current", version="v0.2.0")
    made["lost"], made["binary"] = fleet.start("lost"), fleet.start("binary")
    made["answered"] = fleet.start("answered", flavour="sweet")
    edit(made["drifted"], ".editorconfig", "# line 15", "# ours")
    (made["deleted"] / ".editorconfig").unlink()
    commit_all(made["deleted"], "Delete")
    edit(made["conflicting"], "poe_tasks.toml", "# line 3\n", "# ours\n")
    write(made["dirty"], "notes.txt", "not committed")
    edit(made["gone"], ".copier-answers.yml", "v0.1.0", "v0.0.7")
    edit(made["lost"], "docs/old.md", "Old.", "Ours.")
    write(made["binary"], "docs/picture.png", b"\x89PNG\0ours")
    commit_all(made["binary"], "Our picture")
    write(made["broken"], ".copier-answers.yml", "a: [")
    commit_all(made["broken"], "Break")
    made["plain"] = fleet.home / "plain"
    write(made["plain"], "README.md", "# No Copier here\n")
    commit_all(made["plain"], "Start")
    made["folder"] = fleet.home / "folder"
    made["folder"].mkdir()
    made["missing"] = fleet.home / "missing"
    return made


# ---------------------------------------------------------------- status


def test_status_distinguishes_every_state(fleet: Fleet) -> None:
    made = projects_in_every_state(fleet)
    edit(made["current"], "poe_tasks.toml", "# line 9\n", "<<<<<<< before updating\n")
    there = [path for path in made.values() if (path / ".git").exists()]
    before = {path: user_state(path) for path in there}
    found = rows(fleet.run("status", "--json", *made.values(), expect=1))
    assert {name: row["state"] for name, row in found.items()} == {
        "behind": "behind",
        "current": "by hand",
        "drifted": "by hand",
        "deleted": "by hand",
        "conflicting": "by hand",
        "dirty": "by hand",
        "lost": "by hand",
        "binary": "by hand",
        "answered": "by hand",
        "gone": "failed",
        "broken": "failed",
        "plain": "failed",
        "folder": "failed",
        "missing": "failed",
    }
    assert found["drifted"]["drift"] == [".editorconfig (changed)"]
    assert "lists them and writes the patch" in found["drifted"]["note"]
    assert found["deleted"]["drift"] == [".editorconfig (deleted)"]
    assert found["conflicting"]["conflicts"] == ["poe_tasks.toml"]
    assert found["behind"]["drift"] == found["behind"]["conflicts"] == []
    assert "committed in poe_tasks.toml" in found["current"]["note"]
    assert "lost in docs/old.md" in found["lost"]["note"]
    assert "lost in docs/picture.png" in found["binary"]["note"]
    assert "flavour from 'sweet' to 'sour'" in found["answered"]["note"]
    assert "not committed" in found["dirty"]["note"]
    assert "v0.0.7" in found["gone"]["note"]
    assert ".copier-answers.yml: not valid YAML" in found["broken"]["note"]
    assert "not a Copier project" in found["plain"]["note"]
    assert "not a git work tree" in found["folder"]["note"]
    assert "no such folder" in found["missing"]["note"]
    assert {path: user_state(path) for path in there} == before


@pytest.mark.parametrize("run", ["run-1/", ""])  # as 0.7.0 had it: one run, without a folder
def test_a_row_has_one_documented_shape(fleet: Fleet, run: str) -> None:
    project = fleet.start("behind")
    verdicts = [{"gate": "size", "passed": True}, {"gate": "quality: auc", "passed": False}]
    edit(project, "README.md", "#", "##")
    write(project, ".git/info/exclude", "outputs/\n")
    evidence = f"outputs/train/{run}evaluate/evidence/evaluation.json"
    write(project, evidence, json.dumps({"verdicts": verdicts}))
    done = json.loads(fleet.run("status", "--json", project).stdout)
    assert done["shape"] == "fleet/1"
    [row] = done["projects"]
    assert set(row) == {field.name for field in fields(Row)}
    seconds = row.pop("seconds")
    assert 0 < seconds < 60
    assert row == {
        "place": str(project),
        "name": "behind",
        "state": "behind",
        "note": "",
        "folder": str(project),
        "template": str(fleet.template),
        "version": "v0.1.0",
        "newest": "v0.2.0",
        "drift": [],
        "conflicts": [],
        "stage": "develop",
        "gates": {"passed": ["size"], "failed": ["quality: auc"]},
        "team": "lending",
        "contact": "lending@example.com",
        "branch": "",
        "pull_request": "",
    }


def test_the_table_names_files_and_reasons(fleet: Fleet) -> None:
    project = fleet.start("conflicting")
    edit(project, "poe_tasks.toml", "# line 3\n", "# ours\n")
    done = fleet.run("status", project, fleet.home / "missing", expect=1, COLUMNS="60")
    text = " ".join(done.stdout.split())
    assert "conflict poe_tasks.toml" in text
    assert "drift poe_tasks.toml (changed)" in text
    assert "no such folder" in text
    assert "2 projects: 1 by hand, 1 failed" in text
    assert "…" not in text
    assert len(done.stderr.splitlines()) == 2  # one line per project, in a log


# ---------------------------------------------------------------- the page


def test_the_page_is_well_formed_and_escapes_text_of_projects(fleet: Fleet) -> None:
    nasty = fleet.start("<b>&\"'", project_name=HOSTILE, team="<img src='x' onerror='y'>")
    html = fleet.home / "fleet.html"
    fleet.run("status", nasty, fleet.home / "missing", "--html", html, expect=1)
    text = html.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    tree = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))  # noqa: S314  our own
    assert {each.tag for each in tree.iter()} & {"script", "img", "b"} == set()
    words = "".join(tree.itertext())
    assert HOSTILE.replace("\x1b", "?") in words
    assert "<img src='x' onerror='y'>" in words
    assert "no such folder" in words
    assert "behind" in words
    assert "failed" in words
    links = [
        value
        for each in tree.iter()
        for name, value in each.attrib.items()
        if name in ("href", "src", "action", "style")
    ]
    assert links == ["data:,"]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_a_phone_and_makes_no_request(tmp_path: Path, width: int) -> None:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is missing: `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    long = "src/credit_risk/" + "a_long_name" * 6 + ".py"
    row = Row(
        "https://example.com/x.git", "x", "by hand", "y" * 200, drift=[long], conflicts=[long]
    )
    html = tmp_path / "fleet.html"
    html.write_text(page([row, Row("/p", "p", "current")] * 3), encoding="utf-8")
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": width, "height": 800})
        view.on("request", lambda request: requests.append(request.url))
        view.on("console", lambda message: requests.append(message.text))
        view.goto(html.as_uri(), wait_until="load")
        wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        label = view.locator("td").first.evaluate("e => getComputedStyle(e, '::before').content")
        browser.close()
    assert wide <= 0
    assert requests == [html.as_uri()]
    assert ("State" in label) == (width == 360)  # a phone has no space for the table's head


# ---------------------------------------------------------------- update


def test_update_commits_clean_projects_and_nothing_else(fleet: Fleet) -> None:
    made = projects_in_every_state(fleet)
    there = [path for path in made.values() if (path / ".git").exists()]
    before = {path: user_state(path) for path in there}
    found = rows(fleet.run("update", "--json", *made.values(), expect=1))
    assert {path: user_state(path) for path in there} == before
    updated = {name for name, row in found.items() if row["state"] == "updated"}
    assert updated == {"behind", "drifted", "deleted"}
    assert found["current"]["state"] == "current"
    for name, path in made.items():
        branches = git(path, "branch", "--list", BRANCH) if path in there else ""
        assert bool(branches) == (name in updated), name
        assert (found[name]["branch"] == BRANCH) == (name in updated)
    assert found["conflicting"]["conflicts"] == ["poe_tasks.toml"]
    assert f"git switch -c {BRANCH}" in found["conflicting"]["note"]
    assert "--vcs-ref v0.2.0" in found["conflicting"]["note"]
    for name in updated:
        assert git(made[name], "rev-parse", f"{BRANCH}~1") == git(made[name], "rev-parse", "HEAD")
        assert answers(made[name], BRANCH)["_commit"] == "v0.2.0"
        assert git(made[name], "grep", "-c", "# new", BRANCH) == f"{BRANCH}:poe_tasks.toml:1"
    unchanged = git(made["drifted"], "show", f"{BRANCH}:.editorconfig")
    assert unchanged == MANAGED.replace("# line 15", "# ours").strip()


def test_the_branch_holds_what_copier_makes(fleet: Fleet) -> None:
    """The scratch clone and the cache of compiled texts do not change the result."""
    fleet_made, by_hand = fleet.start("one", project_name="x"), fleet.start("two", project_name="x")
    fleet.run("update", fleet_made)
    update_by_hand(by_hand)
    commit_all(by_hand, "Update")
    assert git(fleet_made, "rev-parse", f"{BRANCH}^{{tree}}") == git(
        by_hand, "rev-parse", "HEAD^{tree}"
    )


def test_templates_in_one_worker_do_not_mix(fleet: Fleet) -> None:
    """The same text has another meaning if a template has other delimiters."""
    square = Fleet(small_template(fleet.home / "square"), fleet.home)
    delimiters = '_envops: {variable_start_string: "[[", variable_end_string: "]]"}\n'
    settings = (square.template / "copier.yml").read_text()
    write(square.template, "copier.yml", settings + delimiters)
    answer = square.template / "template" / "{{ _copier_conf.answers_file }}.jinja"
    answer.rename(answer.with_name("[[ _copier_conf.answers_file ]].jinja"))
    file = "template/[[ _copier_conf.answers_file ]].jinja"
    write(square.template, file, "[[ _copier_answers | to_nice_yaml ]]")
    name = "docs/{{ _copier_conf.answers_file }}"
    for version in ("v0.3.0", "v0.4.0"):
        write(square.template, f"template/{name}", version)
        commit_all(square.template, version)
        git(square.template, "tag", version)
    round_, other = fleet.start("round"), square.start("other", version="v0.3.0")
    fleet.run("update", "--jobs", "1", round_, other)
    assert git(round_, "show", f"{BRANCH}:README.md") == "# lending"
    branch = "copier-update-v0.4.0"
    assert git(other, "show", f"{branch}:README.md") == "# {{ team }}"
    assert git(other, "show", f"{branch}:{name}") == "v0.4.0"


def test_the_users_clone_stays_unchanged(fleet: Fleet) -> None:
    """A feature branch, a stash, ignored files, hooks that fail, an identity of its own."""
    project = fleet.start("busy")
    write(project, ".git/info/exclude", "*.log\n")
    write(project, "train.log", "ignored")
    git(project, "switch", "--quiet", "--create", "feature")
    edit(project, "README.md", "#", "##")
    write(project, "README.md", "stashed")
    git(project, "stash")
    git(project, "config", "user.name", "Ada")
    for name in ("pre-commit", "commit-msg", "post-checkout", "post-merge"):
        write(project, f".git/hooks/{name}", "#!/bin/sh\ntouch hook-ran\nexit 1\n")
        (project / ".git" / "hooks" / name).chmod(0o755)
    before = user_state(project)
    fleet.run("update", project, GIT_AUTHOR_NAME="", GIT_COMMITTER_NAME="")
    assert user_state(project) == before
    assert git(project, "log", "-1", "--format=%an %cn", BRANCH) == "Ada Ada"
    assert git(project, "rev-parse", f"{BRANCH}~1") == git(project, "rev-parse", "feature")
    git(project, "stash", "pop")
    assert (project / "README.md").read_text() == "stashed"


def test_a_second_run_continues_after_the_first(fleet: Fleet) -> None:
    done, new = fleet.start("done"), fleet.start("new")
    fleet.run("update", done)
    commit = git(done, "rev-parse", BRANCH)
    found = rows(fleet.run("update", "--json", done, new))
    assert {name: row["state"] for name, row in found.items()} == {
        "done": "there already",
        "new": "updated",
    }
    assert git(done, "rev-parse", BRANCH) == commit


def test_an_interrupted_run_can_be_repeated(fleet: Fleet) -> None:
    """Ctrl-C after the first project: nothing is half done, and a second run does the rest."""
    made = [fleet.start(f"p{number}") for number in range(6)]
    scratch = fleet.home / "scratch"
    scratch.mkdir()
    run = subprocess.Popen(
        [*FLEET, "update", "--jobs", "2", *map(str, made)],
        env=hooks_environment(TMPDIR=str(scratch)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and child processes inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert run.stderr is not None
    assert run.stderr.readline().startswith("updated: ")
    os.killpg(run.pid, signal.SIGINT)
    rest = run.stderr.read()
    assert run.wait(60) == 130
    assert "Interrupted" in rest
    assert "Traceback" not in rest
    assert list(scratch.iterdir()) == []
    done = [path for path in made if git(path, "branch", "--list", BRANCH)]
    assert 0 < len(done) < len(made)  # Ctrl-C reaches the git of a second worker, too
    found = rows(fleet.run("update", "--json", *made))
    assert {Path(row["place"]) for row in found.values() if row["state"] == "there already"} == {
        *done
    }
    assert {answers(path, BRANCH)["_commit"] for path in made} == {"v0.2.0"}


def test_ctrl_c_during_submit_leaves_no_pool(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[ProcessPoolExecutor] = []
    closed: list[ProcessPoolExecutor] = []

    class Pool(ProcessPoolExecutor):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            made.append(self)

        def submit(self, *_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

        def shutdown(self, *given: Any, **named: Any) -> None:
            super().shutdown(*given, **named)
            closed.append(self)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        list(pool.run_in_processes(abs, [1, 2, 3], jobs=2, start=print, scratch=tmp_path))
    assert len(made) == 2
    assert closed == made


def test_a_terminal_shows_a_progress_bar(fleet: Fleet) -> None:
    project = fleet.start("p")
    screen, terminal = os.openpty()
    bar: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # Linux reports a closed terminal like this
            while part := os.read(screen, 4096):
                bar.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    subprocess.run(
        [*FLEET, "update", str(project)],
        env=hooks_environment(TERM="xterm"),
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        check=True,
    )
    os.close(terminal)
    reader.join(60)
    text = b"".join(bar).decode()
    assert "0/1" in text
    assert "1/1" in text
    assert "updated:" not in text  # this line is for logs


def test_a_branch_with_another_content_stays_unchanged(fleet: Fleet) -> None:
    project = fleet.start("taken")
    git(project, "branch", BRANCH)
    commit = git(project, "rev-parse", BRANCH)
    found = rows(fleet.run("update", "--json", project, expect=1))
    assert "is not this update" in found["taken"]["note"]
    assert git(project, "rev-parse", BRANCH) == commit


def test_a_release_can_be_chosen(fleet: Fleet, tmp_path: Path) -> None:
    again = Fleet(small_template(tmp_path / "template"), tmp_path)
    git(again.template, "tag", "v0.3.0")
    git(again.template, "tag", "v0.4.0rc1")
    project = again.start("p")
    again.run("update", project, "--version", "v0.2.0")
    again.run("update", project)
    branches = git(project, "branch", "--list", "--format=%(refname:short)").split()
    assert sorted(branches) == [BRANCH, "copier-update-v0.3.0", "main"]
    found = rows(again.run("update", "--json", project, "--version", "v7", expect=1))
    assert "no tag v7; the newest are v0.1.0, v0.2.0, v0.3.0" in found["p"]["note"]


def test_a_migration_is_reported_and_not_run(tmp_path: Path) -> None:
    fleet = Fleet(small_template(tmp_path / "template"), tmp_path)
    project = fleet.start("p")
    settings = (fleet.template / "copier.yml").read_text()
    migration = f"_migrations: [{{version: v0.3.0, command: touch {tmp_path / 'ran'}}}]\n"
    write(fleet.template, "copier.yml", settings + migration)
    commit_all(fleet.template, "v0.3.0")
    git(fleet.template, "tag", "v0.3.0")
    found = rows(fleet.run("update", "--json", project, expect=1))
    assert "asks for trust" in found["p"]["note"]
    assert not (tmp_path / "ran").exists()
    assert git(project, "branch", "--list", "copier-*") == ""


# ---------------------------------------------------------------- the real template


def test_the_real_template(tmp_path: Path) -> None:
    """Two releases of the work tree: the branch equals Copier's own update; drift is reported."""
    real = copy_template(tmp_path / "copier-mlops")
    commit_all(real, "one")
    git(real, "tag", "v0.1.0")
    tasks = (real / "template" / "poe_tasks.toml.jinja").read_text(encoding="utf-8")
    write(real, "template/poe_tasks.toml.jinja", tasks + "\n# new\n")
    commit_all(real, "two")
    git(real, "tag", "v0.2.0")
    fleet = Fleet(real, tmp_path)
    answer = {"project_name": "Credit Risk", "team": "@contoso/lending"}
    project, twin = fleet.start("project", **answer), fleet.start("twin", **answer)
    fleet.run("update", project)
    update_by_hand(twin)
    commit_all(twin, "Update")
    assert git(project, "rev-parse", f"{BRANCH}^{{tree}}") == git(twin, "rev-parse", "HEAD^{tree}")
    edit(project, "docs/gates.md", "# ", "# Our ")
    edit(project, "src/credit_risk/model.py", '"""', '"""Ours. ')
    row = rows(fleet.run("status", "--json", project, expect=1))["Credit Risk"]
    assert row["drift"] == ["docs/gates.md (changed)"]
    assert row["conflicts"] == []
    fork = {
        "path": "docs/gates.md",
        "reason": "our title suits us better",
        "approved_by": "the platform team",
        "until": date(2099, 1, 1),
        "sha256": hashlib.sha256((project / row["drift"][0].split()[0]).read_bytes()).hexdigest(),
    }
    write(project, "conf/forks.yml", yaml.safe_dump({"at_most": 1, "forks": [fork]}))
    commit_all(project, "Agree")
    row = rows(fleet.run("status", "--json", project))["Credit Risk"]
    assert (row["state"], row["drift"]) == ("behind", [])  # an approved fork is not drift
    assert (row["stage"], row["team"]) == ("explore", "@contoso/lending")
