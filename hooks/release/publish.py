"""Makes a release available: annotated tags, and the wheel on a feed.

Nothing is pushed: whoever releases pushes the tags.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from hooks import wheel
from hooks.projects import HookError, git
from hooks.release.history import Release, releases


def tag(root: Path) -> list[str]:
    """Make an annotated tag for each listed release that has none; returns the new tags.

    Copier and Renovate see releases by their tags only.

    Raises:
        HookError: a commit is not in the history, or a tag is on another commit.
    """
    made = []
    for release in releases(root):
        if _tagged(root, release):
            continue
        message = f"Release {release.version}"
        git(root, "tag", "--annotate", "--message", message, release.tag, release.commit)
        made.append(release.tag)
    return made


def _tagged(root: Path, release: Release) -> bool:
    present = git(root, "rev-parse", "--quiet", "--verify", f"{release.tag}^{{}}", accept=(0, 1))
    if present.strip() not in ("", release.commit):
        raise HookError(
            f"tag {release.tag} is on {present.strip()}, and the list has {release.commit}. "
            "Projects are recorded by their tag: never move one. Delete the wrong tag, or release "
            "a new version."
        )
    return bool(present.strip())


def publish(url: str) -> Path:
    """Upload the template's wheel to a feed; returns the wheel's path.

    uv takes user and password or a token from its own variables, UV_PUBLISH_USERNAME,
    UV_PUBLISH_PASSWORD and UV_PUBLISH_TOKEN.

    Raises:
        HookError: the wheel is not what `package/` builds, or the feed refuses it.
    """
    if problem := wheel.problem():
        raise HookError(problem)
    path = wheel.VENDOR / wheel.name()
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copy(path, scratch)  # uv reads brackets in a path as a pattern
        command = ["uv", "publish", "--quiet", "--publish-url", url, str(copy)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    if done.returncode:
        raise HookError(f"{path.name} was not published: {done.stderr.strip()}")
    return path
