"""Opens a pull request for an update's branch, with the platform's own command line.

`gh` and `az repos` read the repository from the clone's `origin`, sign in with the tokens of their
own variables, find the owners by name, and read all pages of results.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.git import environment
from mlops_platform.core.programs import command_line

from hooks.projects import HookError, git, without_secrets

AZURE = ("dev.azure.com", "visualstudio.com")
INSTALL = {
    "gh": "Install GitHub's command line and set GH_TOKEN to the token of a GitHub App",
    "az": "Install Azure's command line with `az extension add --name azure-devops` and set "
    "AZURE_DEVOPS_EXT_PAT",
}


def ask(folder: Path, branch: str, title: str, *, team: str, contact: str) -> str:
    """Open the pull request of a pushed branch; returns its address.

    Its owners are asked for a review: on GitHub the team, if it is written `@organisation/team`,
    and whom CODEOWNERS names; in Azure DevOps the contact. One that exists already stays, open or
    closed, and its address is returned.

    Raises:
        HookError: the command line is missing or failed.
    """
    origin = git(folder, "remote", "get-url", "origin").strip()
    if any(host in origin for host in AZURE):
        return _in_azure(folder, branch, title, contact)
    return _on_github(folder, branch, title, team)


def _on_github(folder: Path, branch: str, title: str, team: str) -> str:
    listed = _run(
        folder,
        *("gh", "pr", "list", "--head", branch, "--state", "all", "--limit", "1"),
        *("--json", "url"),
    )
    if found := json.loads(listed):
        return str(found[0]["url"])
    reviewer = ("--reviewer", team.removeprefix("@")) if team.startswith("@") else ()
    body = "`uv run python -m hooks fleet update` made this branch; docs/updating.md says more."
    words = ("gh", "pr", "create", "--head", branch, "--title", title, "--body", body, *reviewer)
    return _run(folder, *words).strip().splitlines()[-1]


def _in_azure(folder: Path, branch: str, title: str, contact: str) -> str:
    common = ("--source-branch", branch, "--output", "json")
    listed = json.loads(
        _run(folder, "az", "repos", "pr", "list", *common, "--status", "all", "--top", "1")
    )
    if not listed:
        reviewer = ("--reviewers", contact) if contact else ()
        words = ("az", "repos", "pr", "create", *common, "--title", title, *reviewer)
        listed = [json.loads(_run(folder, *words))]
    repository = listed[0]["repository"]["webUrl"]
    return f"{repository}/pullrequest/{listed[0]['pullRequestId']}"


def _run(folder: Path, program: str, *arguments: str) -> str:
    """The output of a command line of GitHub or Azure.

    Raises:
        HookError: it is missing or failed; the message says what to do.
    """
    path = shutil.which(program)
    if path is None:
        raise HookError(f"`{program}` is not on PATH. {INSTALL[program]}.")
    try:
        command = command_line(path, arguments)
    except UsageError as error:
        raise HookError(str(error)) from None
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),  # they call git
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise HookError(f"`{program} {_words(arguments)}` failed: {_reason(done.stderr)}")
    return done.stdout


def _words(arguments: Sequence[str]) -> str:
    return " ".join(arguments[:3] if arguments[0] == "repos" else arguments[:2])


def _reason(said: str) -> str:
    return without_secrets(" ".join(said.split())) or "it gave no reason"
