"""The standard's news as a pull request: update on a branch, check, push, ask for a review."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import pull_request
from mlops_platform.settings import load_project
from mlops_platform.template import update

BRANCH = "template-update"


def run(root: Path) -> None:
    """Make the branch and the pull request; a draft where files hold conflicts or checks fail.

    What is there already, from an earlier run, is left as it is.

    Raises:
        UsageError: uncommitted work, or the branch cannot be pushed, or the request not opened.
        GateError: a person has to decide, and no CI service is there to ask one.
    """
    here = _git(root, "rev-parse", "--abbrev-ref", "HEAD")
    base = _branch_of_ci() or here
    done = update.update(root, [])
    if not done.changed:
        terminal.out.print(f"{done.after} is the newest release", markup=False)
        return
    branch = f"{BRANCH}-{done.after}"
    if _git(root, "ls-remote", "--heads", "origin", branch):
        update.take_back(root)
        terminal.out.print(f"{branch} is there already", markup=False)
        return
    if _git(root, "branch", "--list", branch):
        update.take_back(root)
        raise UsageError(
            f"there is a branch {branch} here that origin does not have. Push it, or delete it: "
            f"`git branch -D {branch}`."
        )
    problems = [f"- conflict: `{path}`" for path in done.conflicts]
    if not problems:
        problems = _checked(root)
    _commit(root, branch, done)
    _push(root, branch, here)
    body = _body(done, problems)
    if pull_request.ask(branch, base, _title(done), body, draft=bool(problems)):
        terminal.out.print(f"{branch} is pushed, a review is asked for", markup=False)
        return
    terminal.out.print(f"{branch} is pushed, open a pull request\n\n{body}", markup=False)
    if problems:
        raise GateError("a person has to decide: see above, and end it on that branch.")


def _branch_of_ci() -> str | None:
    """The branch that a CI service runs for, with all its parts."""
    azure = os.environ.get("BUILD_SOURCEBRANCH", "").removeprefix("refs/heads/")
    return os.environ.get("GITHUB_REF_NAME") or azure or None


def _title(done: update.Update) -> str:
    return f"Follow {done.after} of the standard"


def _commit(root: Path, branch: str, done: update.Update) -> None:
    _git(root, "switch", "--quiet", "--create", branch)
    _git(root, "add", "--all")
    contact = load_project(root / "conf").contact
    author = ("-c", f"user.name={BRANCH}", "-c", f"user.email={contact}")
    commit = ("commit", "--quiet", "--no-verify", "--author", f"{BRANCH} <{contact}>")
    _git(root, *author, *commit, "--message", _title(done))


def _push(root: Path, branch: str, here: str) -> None:
    """Push the branch. Where origin refuses, it is as if nothing had been: run it again then."""
    try:
        _git(root, "push", "--quiet", "origin", branch)
    except UsageError:
        back = ["--detach", "HEAD~1"] if here == "HEAD" else [here]
        _git(root, "switch", "--quiet", *back)
        _git(root, "branch", "--quiet", "-D", branch)
        raise


def _checked(root: Path) -> list[str]:
    """Lock and check with the new versions; what failed."""
    for command in (["uv", "lock", "--upgrade"], ["uv", "run", "poe", "check"]):
        environment = {key: text for key, text in os.environ.items() if key != "UV_LOCKED"}
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
            return [f"- `{' '.join(command)}` failed:\n\n```\n{last}\n```"]
    return []


def _body(done: update.Update, problems: list[str]) -> str:
    lines = [f"From {done.before} to {done.after}; its changelog says what changes and what to do."]
    if problems:
        lines += ["", "Before it can be merged:", "", *problems]
    if told := update.told(done):
        lines += ["", "What the changed files do not show:", "", *(f"- {line}" for line in told)]
    return "\n".join(lines) + "\n"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=os.environ | _credentials(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        words = [word for word in arguments if not word.startswith(("-", "user."))]
        raise UsageError(f"`git {words[0]}` failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _credentials() -> dict[str, str]:
    """The job's token as git's settings, in the environment: a command line is seen by others."""
    if token := os.environ.get("GITHUB_TOKEN"):
        packed = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        header = f"AUTHORIZATION: basic {packed}"
    elif token := os.environ.get("SYSTEM_ACCESSTOKEN"):
        header = f"AUTHORIZATION: bearer {token}"
    else:
        return {}
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": header,
    }
