"""Updates from the template as a pull request: update on a branch, check, push, create it."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import pull_request
from mlops_platform.settings import load_project
from mlops_platform.template import changelog, patches, update
from mlops_platform.template.rendering import read_answers

BRANCH = "template-update"


def run(root: Path) -> None:
    """Create the branch and the pull request; a draft if there are conflicts or failed checks.

    Results of an earlier run stay unchanged.

    Raises:
        UsageError: there is uncommitted work, the branch cannot be pushed, or the pull request
            cannot be created.
        GateError: a person has to decide, and there is no CI service to create a draft.
    """
    current_branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD")
    base = _branch_of_ci() or current_branch
    result = update.update(root, [])
    if not result.changed:
        terminal.out.print(f"{result.after} is the newest release", markup=False)
        return
    branch = f"{BRANCH}-{result.after}"
    if _git(root, "ls-remote", "--heads", "origin", branch):
        update.revert(root)
        terminal.out.print(f"{branch} already exists", markup=False)
        return
    if _git(root, "branch", "--list", branch):
        update.revert(root)
        raise UsageError(
            f"there is a branch {branch} here that origin does not have. Push it, or delete it: "
            f"`git branch -D {branch}`."
        )
    problems = [f"- conflict: `{path}`" for path in result.conflicts]
    if not problems:
        patches.drop_caught_up(root)
        problems = _run_checks(root)
    _commit(root, branch, result)
    _push(root, branch, current_branch)
    source = str(read_answers(root)["_src_path"])
    body = _body(result, problems, changelog.read(source, result.before, result.after))
    if pull_request.create(branch, base, _title(result), body, draft=bool(problems)):
        terminal.out.print(f"{branch} is pushed, the pull request is created", markup=False)
        return
    terminal.out.print(f"{branch} is pushed, create a pull request\n\n{body}", markup=False)
    if problems:
        raise GateError("a person has to decide: see above, and finish the update on that branch.")


def _branch_of_ci() -> str | None:
    """The full name of the branch that a CI service runs for."""
    azure = os.environ.get("BUILD_SOURCEBRANCH", "").removeprefix("refs/heads/")
    return os.environ.get("GITHUB_REF_NAME") or azure or None


def _title(result: update.UpdateResult) -> str:
    return f"Update to {result.after} of the template"


def _commit(root: Path, branch: str, result: update.UpdateResult) -> None:
    _git(root, "switch", "--quiet", "--create", branch)
    _git(root, "add", "--all")
    contact = load_project(root / "conf").contact
    author = ("-c", f"user.name={BRANCH}", "-c", f"user.email={contact}")
    commit = ("commit", "--quiet", "--no-verify", "--author", f"{BRANCH} <{contact}>")
    _git(root, *author, *commit, "--message", _title(result))


def _push(root: Path, branch: str, current_branch: str) -> None:
    """Push the branch. If origin rejects it, everything is reverted: run it again."""
    try:
        _git(root, "push", "--quiet", "origin", branch)
    except UsageError:
        previous = ["--detach", "HEAD~1"] if current_branch == "HEAD" else [current_branch]
        _git(root, "switch", "--quiet", *previous)
        _git(root, "branch", "--quiet", "-D", branch)
        raise


def _run_checks(root: Path) -> list[str]:
    """Lock and check with the new versions; returns what failed."""
    for command in (["uv", "lock", "--upgrade"], ["uv", "run", "poe", "check"]):
        environment = {key: text for key, text in os.environ.items() if key != "UV_LOCKED"}
        process = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        if process.returncode != 0:
            output = "\n".join((process.stdout + process.stderr).strip().splitlines()[-20:])
            return [f"- `{' '.join(command)}` failed:\n\n```\n{output}\n```"]
    return []


def _body(result: update.UpdateResult, problems: list[str], changes: str) -> str:
    lines = [
        f"From {result.before} to {result.after}. The platform package in `vendor/` is one line "
        f"here; `git diff {result.before} {result.after} -- package/src` in the template's "
        "repository shows its changes."
    ]
    if problems:
        lines += ["", "Before it can be merged:", "", *problems]
    if lines_hidden := update.describe(result):
        lines += [
            "",
            "Changes that the files do not show:",
            "",
            *(f"- {line}" for line in lines_hidden),
        ]
    return "\n".join([*lines, "", "# Changelog of the template", "", changes.strip()]) + "\n"


def _git(root: Path, *arguments: str) -> str:
    process = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=os.environ | _credentials(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if process.returncode != 0:
        words = [word for word in arguments if not word.startswith(("-", "user."))]
        raise UsageError(f"`git {words[0]}` failed: {process.stderr.strip()}")
    return process.stdout.strip()


def _credentials() -> dict[str, str]:
    """The job's token as git settings, in the environment: others can read a command line."""
    if token := os.environ.get("GITHUB_TOKEN"):
        encoded = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        header = f"AUTHORIZATION: basic {encoded}"
    elif token := os.environ.get("SYSTEM_ACCESSTOKEN"):
        header = f"AUTHORIZATION: bearer {token}"
    else:
        return {}
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": header,
    }
