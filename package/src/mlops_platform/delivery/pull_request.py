"""Creates and comments pull requests, in CI jobs on GitHub and in Azure DevOps.

GitHub: https://docs.github.com/rest/pulls/pulls, https://docs.github.com/rest/issues/comments
Azure: https://learn.microsoft.com/rest/api/azure/devops/git (pull requests, threads)
"""

from __future__ import annotations

import itertools
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
PAGE = 100  # comments in an answer of GitHub, its maximum; Azure has no pages of threads
AZURE = "api-version=7.1"


class CommentTarget(NamedTuple):
    """The URL to create a comment, and that of the existing summary, if there is one."""

    create_url: str
    existing_url: str | None


def comment(markdown: str) -> bool:
    """Create the summary comment, or update it; False outside of a pull request.

    Raises:
        UsageError: there is no token, or the service rejects the request.
    """
    text = f"{MARK}\n{markdown}"
    if number := _github_number():
        token = _token("GITHUB_TOKEN")
        target = _find_on_github(number, token)
        body: dict[str, Any] = {"body": text}
    elif number := os.environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID"):
        token = _token("SYSTEM_ACCESSTOKEN")
        target = _find_on_azure(number, token)
        first_comment = {"content": text, "commentType": 1}
        body = (
            {"content": text}
            if target.existing_url
            else {"comments": [first_comment], "status": "closed"}
        )
    else:
        return False
    if target.existing_url:
        _send("PATCH", target.existing_url, token, body)
    else:
        _send("POST", target.create_url, token, body)
    return True


def create(branch: str, base: str, title: str, body: str, *, draft: bool) -> bool:
    """Create a pull request; False outside of CI.

    Raises:
        UsageError: there is no token, or the service rejects the request.
    """
    if api := os.environ.get("GITHUB_API_URL"):
        address = f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}/pulls"
        fields: dict[str, Any] = {"head": branch, "base": base, "body": body, "draft": draft}
        token = _token("GITHUB_TOKEN")
    elif os.environ.get("SYSTEM_COLLECTIONURI"):
        address = f"{_azure_home()}?{AZURE}"
        refs = {"sourceRefName": f"refs/heads/{branch}", "targetRefName": f"refs/heads/{base}"}
        fields = {**refs, "description": body, "isDraft": draft}
        token = _token("SYSTEM_ACCESSTOKEN")
    else:
        return False
    _send("POST", address, token, {"title": title, **fields})
    return True


def _github_number() -> str | None:
    event = os.environ.get("GITHUB_EVENT_PATH")
    if not event or not Path(event).is_file():
        return None
    request = json.loads(Path(event).read_text(encoding="utf-8")).get("pull_request")
    return str(request["number"]) if request else None


def _find_on_github(number: str, token: str) -> CommentTarget:
    issues_url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    comments_url = f"{issues_url}/{number}/comments"
    ours = None
    for page in itertools.count(1):
        comments = _send("GET", f"{comments_url}?per_page={PAGE}&page={page}", token)
        ours = next((each["id"] for each in comments if MARK in (each["body"] or "")), None)
        if ours or len(comments) < PAGE:
            break
    return CommentTarget(comments_url, f"{issues_url}/comments/{ours}" if ours else None)


def _find_on_azure(number: str, token: str) -> CommentTarget:
    threads_url = f"{_azure_home()}/{number}/threads"
    for thread in _send("GET", f"{threads_url}?{AZURE}", token)["value"]:
        for each in thread["comments"]:
            if MARK in (each.get("content") or ""):
                ours = f"{threads_url}/{thread['id']}/comments/{each['id']}?{AZURE}"
                return CommentTarget(f"{threads_url}?{AZURE}", ours)
    return CommentTarget(f"{threads_url}?{AZURE}", None)


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
            f"{name} is not set. Pass it to the job: the pull request cannot be reached without it."
        )
    return token


def _send(method: str, address: str, token: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  the address of the service
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise UsageError(
            f"the pull request cannot be reached: {address.partition('?')[0]} returned "
            f"{error.code}. Check that the job's token may write to pull requests."
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"the pull request cannot be reached: {error}.") from None
