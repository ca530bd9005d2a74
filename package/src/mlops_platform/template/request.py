"""Updates from the template as a pull request: update on a branch, check, push, create it."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_platform.core import git, programs, terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import pull_request
from mlops_platform.settings import load_project
from mlops_platform.template import changelog, patches, update
from mlops_platform.template.rendering import read_answers

BRANCH = "template-update"


def run(root: Path) -> None:
    """Create the branch and the pull request; a draft if there are conflicts or failed checks.

    All of it happens in a work tree of its own, so the project stays as it is whatever fails; no
    local branch is made. Results of an earlier run stay unchanged.

    Raises:
        UsageError: there is uncommitted work, the commit cannot be signed, the branch cannot be
            pushed, or the pull request cannot be created.
        GateError: a person has to decide, and there is no CI service to create a draft.
    """
    base = _branch_of_ci() or git.text(root, "rev-parse", "--abbrev-ref", "HEAD")
    update.require_clean(root)
    with _work_tree(root) as project:
        result = update.update(project, [])
        if not result.changed:
            terminal.out.print(f"{result.after} is the newest release", markup=False)
            return
        branch = f"{BRANCH}-{result.after}"
        if _is_taken(root, branch):
            terminal.out.print(f"{branch} already exists", markup=False)
            return
        problems = [f"- conflict: `{path}`" for path in result.conflicts]
        if not problems:
            patches.drop_caught_up(project)
            problems = _run_checks(project)
        _commit(project, result)
        _push(project, f"HEAD:refs/heads/{branch}")
        source = str(read_answers(project)["_src_path"])
        body = _body(result, problems, changelog.read(source, result.before, result.after))
        try:
            asked = pull_request.create(branch, base, _title(result), body, draft=bool(problems))
        except UsageError as error:
            raise _without_branch(project, branch, error) from None
    if asked:
        terminal.out.print(f"{branch} is pushed, the pull request is created", markup=False)
        return
    terminal.out.print(f"{branch} is pushed, create a pull request\n\n{body}", markup=False)
    if problems:
        raise GateError("a person has to decide: see above, and finish the update on that branch.")


@contextmanager
def _work_tree(root: Path) -> Iterator[Path]:
    """Yield the project in a second work tree of its repository, at the last commit."""
    prefix = git.text(root, "rev-parse", "--show-prefix")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "project"
        git.run(root, "worktree", "add", "--quiet", "--detach", str(folder), "HEAD")
        try:
            yield folder / prefix
        finally:
            git.run(root, "worktree", "remove", "--force", str(folder))


def _is_taken(root: Path, branch: str) -> bool:
    """Whether origin has the branch.

    Raises:
        UsageError: only this repository has it.
    """
    if git.run(root, "ls-remote", "--heads", "origin", branch, settings=_credentials()):
        return True
    if git.text(root, "for-each-ref", f"refs/heads/{branch}"):
        raise UsageError(
            f"there is a branch {branch} here that origin does not have. Push it, or delete it: "
            f"`git branch -D {branch}`."
        )
    return False


def _without_branch(project: Path, branch: str, error: UsageError) -> UsageError:
    """Delete the pushed branch, so that a second try can work; returns the error to raise."""
    try:
        _push(project, f":refs/heads/{branch}")
    except git.GitError as second:
        return UsageError(
            f"{error}\nThe branch {branch} stays at origin ({second}). Before a second try: "
            f"`git push origin --delete {branch}`."
        )
    return error


def _branch_of_ci() -> str | None:
    """The full name of the branch that a CI service runs for."""
    azure = os.environ.get("BUILD_SOURCEBRANCH", "").removeprefix("refs/heads/")
    return os.environ.get("GITHUB_REF_NAME") or azure or None


def _title(result: update.UpdateResult) -> str:
    return f"Update to {result.after} of the template"


def _commit(project: Path, result: update.UpdateResult) -> None:
    """Commit everything, signed if the user's git signs."""
    git.run(project, "add", "--all")
    contact = load_project(project / "conf").contact
    author = {"user.name": BRANCH, "user.email": contact}
    options = ("--quiet", "--no-verify", "--author", f"{BRANCH} <{contact}>")
    git.run(
        project,
        *("commit", *options, "--message", _title(result)),
        settings=author,
        users=("commit.gpgSign",),
    )


def _push(project: Path, reference: str) -> None:
    """Push with the user's hooks: Git LFS uploads in one."""
    git.run(
        project,
        *("push", "--quiet", "origin", reference),
        settings=_credentials(),
        users=("core.hooksPath",),
    )


def _run_checks(project: Path) -> list[str]:
    """Lock and check with the new versions, in an environment of its own; returns what failed."""
    left_out = {"UV_LOCKED", "VIRTUAL_ENV"}
    environment = {name: text for name, text in git.environment().items() if name not in left_out}
    environment["UV_PROJECT_ENVIRONMENT"] = str(project / ".venv")
    for command in (["uv", "lock", "--upgrade"], ["uv", "run", "poe", "check"]):
        process = programs.run(command, project, environment=environment)
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


def _credentials() -> dict[str, str]:
    """The job's token as a git setting, in the environment: others can read a command line."""
    if token := os.environ.get("GITHUB_TOKEN"):
        encoded = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        return {"http.extraHeader": f"AUTHORIZATION: basic {encoded}"}
    if token := os.environ.get("SYSTEM_ACCESSTOKEN"):
        return {"http.extraHeader": f"AUTHORIZATION: bearer {token}"}
    return {}
