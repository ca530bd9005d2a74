"""Pull requests on GitHub and in Azure Repos, from a CI job of theirs: open one, comment in one.

GitHub: https://docs.github.com/rest/pulls/pulls, https://docs.github.com/rest/issues/comments
Azure: https://learn.microsoft.com/rest/api/azure/devops/git (pull requests, threads)
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from mlops_platform.core.errors import UsageError

MARK = "<!-- mlops summary -->"
TIMEOUT = 30  # seconds
AZURE = "api-version=7.1"


class Known(NamedTuple):
    """Where comments of the pull request are made, and our own one, if it is there."""

    make: str
    ours: str | None


def comment(markdown: str) -> bool:
    """Write our one comment, or write it anew; False outside of a pull request.

    Raises:
        UsageError: no token, or the service refuses.
    """
    text = f"{MARK}\n{markdown}"
    if number := _github_number():
        token = _token("GITHUB_TOKEN")
        found = _on_github(number, token)
        body: dict[str, Any] = {"body": text}
    elif number := os.environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID"):
        token = _token("SYSTEM_ACCESSTOKEN")
        found = _on_azure(number, token)
        new = {"content": text, "commentType": 1}
        body = {"content": text} if found.ours else {"comments": [new], "status": "closed"}
    else:
        return False
    if found.ours:
        _ask("PATCH", found.ours, token, body)
    else:
        _ask("POST", found.make, token, body)
    return True


def ask(branch: str, base: str, title: str, body: str, *, draft: bool) -> bool:
    """Open a pull request; False where no CI service says which repository it is.

    Raises:
        UsageError: no token, or the service refuses.
    """
    if api := os.environ.get("GITHUB_API_URL"):
        address = f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}/pulls"
        asked: dict[str, Any] = {"head": branch, "base": base, "body": body, "draft": draft}
        token = _token("GITHUB_TOKEN")
    elif os.environ.get("SYSTEM_COLLECTIONURI"):
        address = f"{_azure_home()}?{AZURE}"
        refs = {"sourceRefName": f"refs/heads/{branch}", "targetRefName": f"refs/heads/{base}"}
        asked = {**refs, "description": body, "isDraft": draft}
        token = _token("SYSTEM_ACCESSTOKEN")
    else:
        return False
    _ask("POST", address, token, {"title": title, **asked})
    return True


def _github_number() -> str | None:
    event = os.environ.get("GITHUB_EVENT_PATH")
    if not event or not Path(event).is_file():
        return None
    request = json.loads(Path(event).read_text(encoding="utf-8")).get("pull_request")
    return str(request["number"]) if request else None


def _on_github(number: str, token: str) -> Known:
    home = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    listed = _ask("GET", f"{home}/{number}/comments?per_page=100", token)
    ours = next((each["id"] for each in listed if MARK in (each["body"] or "")), None)
    return Known(f"{home}/{number}/comments", f"{home}/comments/{ours}" if ours else None)


def _on_azure(number: str, token: str) -> Known:
    home = f"{_azure_home()}/{number}/threads"
    for thread in _ask("GET", f"{home}?{AZURE}", token)["value"]:
        for each in thread["comments"]:
            if MARK in (each.get("content") or ""):
                ours = f"{home}/{thread['id']}/comments/{each['id']}?{AZURE}"
                return Known(f"{home}?{AZURE}", ours)
    return Known(f"{home}?{AZURE}", None)


def _azure_home() -> str:
    project = quote(os.environ["SYSTEM_TEAMPROJECT"])
    return (
        f"{os.environ['SYSTEM_COLLECTIONURI'].rstrip('/')}/{project}/_apis/git/repositories/"
        f"{os.environ['BUILD_REPOSITORY_ID']}/pullRequests"
    )


def _token(name: str) -> str:
    token = os.environ.get(name)
    if not token:
        raise UsageError(
            f"{name} is not set. The job must give it, or the pull request cannot be reached."
        )
    return token


def _ask(method: str, address: str, token: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  the service's own address
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise UsageError(
            f"the pull request cannot be reached: {address.partition('?')[0]} answered "
            f"{error.code}. Does the job's token allow it to write to pull requests?"
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"the pull request cannot be reached: {error}.") from None
