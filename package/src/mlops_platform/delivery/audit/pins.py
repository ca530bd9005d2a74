"""Finds what CI and images would fetch in whatever version is the newest at that time.

Such code runs with tokens that may write, or with an identity in the cloud. GitHub's `uses:` is
zizmor's part.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

FILES = (
    ".github/workflows/*.yml",
    ".github/workflows/*.yaml",
    ".azuredevops/**/*.yml",
    ".azuredevops/**/*.yaml",
    "poe_tasks.toml",
    "Dockerfile",
    "src/Dockerfile",
    "pipelines/environments/*/Dockerfile",
)
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
IMAGE = re.compile(
    r"^\s*(?:FROM\s+(?:--\S+\s+)*|-?\s*(?:image|container):\s*[\"']?)([^\s\"']+)", re.M
)
STAGE = re.compile(r"^FROM\s.*\sAS\s+(\S+)", re.M | re.I)
PIP = re.compile(r"\bpip3?\s+install\s+(.*)")
RUNNER = re.compile(r"\b(?:uvx|uv\s+tool\s+(?:run|install)|pipx\s+(?:run|install))\s+(.*)")
NODE = re.compile(r"\b(?:npx|npm\s+(?:install|i)\s+(?:-g|--global))\s+(.*)")
EXTENSION = re.compile(r"\baz\s+extension\s+(?:add|update)\s+(.*)")
DYNAMIC = re.compile(r"EXTENSION_USE_DYNAMIC_INSTALL\b\W*(yes\w*)")
PIPED = re.compile(r"\b(?:curl|wget)\b[^|]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b")
# Options whose next word is no package.
WITH_VALUE = {
    *("-r", "--requirement", "-t", "--target", "-c", "--constraint", "-i", "--index-url"),
    *("--exclude-newer", "--find-links", "--prefix", "--python", "--uploaded-prior-to"),
}
EXACT = re.compile(r"[^=<>!~]===?[^=*]+$")


class Pins(NamedTuple):
    """Problems, and the images that a tag names, which may be moved to other content."""

    problems: list[str]
    images: list[str]


def check(root: Path) -> Pins:
    """Check all files whose commands run in CI or build an image."""
    problems, images = [], []
    paths = {path for pattern in FILES for path in root.glob(pattern)}
    for path in sorted(paths):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        problems += [f"{name}: {fault}" for line in _lines(text) for fault in _faults(line)]
        stages = set(STAGE.findall(text)) | {"scratch"}
        images += [
            f"{name}: {image}"
            for image in IMAGE.findall(text)
            if image not in stages and not DIGEST.search(image) and "$" not in image
        ]
    return Pins(problems, images)


def _lines(text: str) -> list[str]:
    """Commands without comments; a continued line is one."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if not line.lstrip().startswith(("#", "//"))]


def _faults(line: str) -> Iterator[str]:
    rules: tuple[tuple[re.Pattern[str], Callable[[str], bool], str], ...] = (
        (PIP, _is_pinned_install, "write `==VERSION` for each package, or `--require-hashes`"),
        (RUNNER, _is_pinned_runner, "write `--exclude-newer DATE` and `==VERSION`"),
        (NODE, _is_pinned_node, "write `PACKAGE@1.2.3`"),
        (EXTENSION, lambda rest: "--version" in rest, "write `--version 1.2.3`"),
        (DYNAMIC, lambda _: False, "remove it; the platform package installs the tested version"),
        (PIPED, lambda _: False, "download it, check its SHA-256, then run it"),
    )
    for pattern, is_pinned, advice in rules:
        for match in pattern.finditer(line):
            commands = re.split(r"&&|\|\||[;|]", match[1] if pattern.groups else "")
            if not is_pinned(commands[0]):
                yield f"`{match[0].strip()[:60]}` takes whatever is the newest: {advice}."


def _words(rest: str) -> list[str]:
    try:
        words = shlex.split(rest.rstrip("\"'") if rest.count('"') % 2 else rest)
    except ValueError:
        words = rest.split()
    return words


def _is_pinned_install(rest: str) -> bool:
    words = _words(rest)
    if "--require-hashes" in words:
        return True
    if {"-r", "--requirement"} & set(words):
        return False
    follows = zip(["", *words], words, strict=False)
    packages = [
        word for before, word in follows if not word.startswith("-") and before not in WITH_VALUE
    ]
    return all(EXACT.search(word) or _is_file(word) for word in packages)


def _is_pinned_runner(rest: str) -> bool:
    words = _words(rest)
    named = words[words.index("--from") + 1] if "--from" in words[:-1] else None
    follows = zip(["", *words], words, strict=False)
    first = (
        word for before, word in follows if not word.startswith("-") and before not in WITH_VALUE
    )
    return "--exclude-newer" in words and bool(EXACT.search(named or next(first, "")))


def _is_pinned_node(rest: str) -> bool:
    packages = [word for word in _words(rest) if not word.startswith("-")]
    return bool(packages) and bool(re.search(r".@\d+\.\d+\.\d+$", packages[0]))


def _is_file(word: str) -> bool:
    return word.startswith((".", "/")) or word.endswith(".whl")
