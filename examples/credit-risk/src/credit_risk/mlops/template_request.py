# Managed: belongs to the standard, `copier update` changes it.
"""The standard's news as a pull request: update on a branch, check, push, ask for a review."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from . import pull_request, terminal, update
from .errors import UsageError
from .settings import load_project

BRANCH = "template-update"


def run(root: Path) -> None:
    """Make the branch and the pull request; a draft where files hold conflicts or checks fail.

    What is there already, from an earlier run, is left as it is.

    Raises:
        UsageError: uncommitted work, or the branch cannot be pushed, or the request not opened.
    """
    given = os.environ.get("GITHUB_REF_NAME") or os.environ.get("BUILD_SOURCEBRANCHNAME")
    base = given or _git(root, "rev-parse", "--abbrev-ref", "HEAD")
    done = update.update(root, [])
    if not done.changed:
        terminal.out.print(f"{done.after} is the newest release", markup=False)
        return
    branch = f"{BRANCH}-{done.after}"
    if _git(root, "ls-remote", "--heads", "origin", branch):
        _git(root, "reset", "--quiet", "--hard")
        terminal.out.print(f"{branch} is there already", markup=False)
        return
    problems = [f"- conflict: `{path}`" for path in done.conflicts]
    if not problems:
        problems = _checked(root)
    _git(root, "switch", "--quiet", "--create", branch)
    _git(root, "add", "--all")
    contact = load_project(root / "conf").contact
    author = ("-c", f"user.name={BRANCH}", "-c", f"user.email={contact}")
    title = f"Follow {done.after} of the standard"
    commit = ("commit", "--quiet", "--no-verify", "--author", f"{BRANCH} <{contact}>")
    _git(root, *author, *commit, "--message", title)
    _git(root, "push", "--quiet", "origin", branch)
    opened = pull_request.ask(branch, base, title, _body(done, problems), draft=bool(problems))
    terminal.out.print(
        f"{branch} is pushed, " + ("a review is asked for" if opened else "open a pull request"),
        markup=False,
    )


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
    if done.kept:
        lines += ["", "Kept, because you edited them; the standard no longer has them:", ""]
        lines += [f"- `{path}`" for path in done.kept]
    if done.answers:
        lines += ["", "Answers that changed:", "", *(f"- {text}" for text in done.answers)]
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
