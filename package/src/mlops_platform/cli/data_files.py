"""Finds what is wrong with the files in data/: too large for git, or still the sample's."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from mlops_platform import settings
from mlops_platform.core import git
from mlops_platform.core.errors import UsageError
from mlops_platform.core.paths import project_root
from mlops_platform.data import reader
from mlops_platform.data.contract import load_contract
from mlops_platform.ethics.project_files import list_git_files

HOOKS = Path(".pre-commit-config.yaml")
HOOK = "check-added-large-files"
DEFAULT_KB = 500  # of the hook
CARD = Path("data") / "README.md"
# The sentence of a new project about its sample, and the file that it names.
OF_SAMPLE = re.compile(r"`(raw/[^`]+)`: [\d,]+ invented .*sample\.py` made them")


def hook_limit(root: Path) -> int | None:
    """The size in bytes above which the project's hook refuses a file; None without such a hook."""
    found = _hook(root)
    return None if found is None else found[0]


def require_small(conf: Path) -> None:
    """Check that the hook takes the files in data/ that git has, or would have.

    Raises:
        UsageError: a line for each file that is too large, and not in Git LFS.
    """
    root = project_root(conf)
    found = _hook(root)
    names = list_git_files(root)
    if found is None or names is None:
        return
    limit, excluded = found
    large = [
        name.as_posix()
        for name in names
        if name.parts[0] == "data"
        and (root / name).stat().st_size > limit
        and not (excluded and re.search(excluded, name.as_posix()))
    ]
    problems = [
        f"{name}: has {(root / name).stat().st_size // 1024} KB, and the hook for large files "
        f"takes {limit // 1024} KB. Move it out of data/raw and of git, and write a part: "
        "`uv run poe data-sample FILE --rows 2000`."
        for name in large
        if not _in_lfs(root, name)
    ]
    if problems:
        raise UsageError("\n".join(problems))


def require_own(conf: Path) -> None:
    """Check that the sample is there with its card, and alone, or not at all.

    Raises:
        UsageError: the card describes a sample that is gone, or other data lies beside it.
    """
    root = project_root(conf)
    card = root / CARD
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    named = OF_SAMPLE.search(text)
    if named is None:
        return
    sample = root / "data" / named[1]
    if not sample.is_file():
        raise UsageError(
            f"{CARD.as_posix()}: is still the card of the sample, and data/{named[1]} is not "
            "there. Describe your data in it: where it comes from, who is in it, what it may be "
            "used for."
        )
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    read = reader.files(sample.parent, contract.source)
    others = [file.name for file in read if file.path != sample]
    if others and len(others) < len(read):
        raise UsageError(
            f"data/raw/{others[0]}: lies beside the sample's {sample.name}, and both are read. "
            f"Delete data/{named[1]}, and replace {CARD.as_posix()}."
        )


def _hook(root: Path) -> tuple[int, str] | None:
    """The limit in bytes of the hook for large files, and the pattern of names it leaves out."""
    try:
        content = yaml.safe_load((root / HOOKS).read_text(encoding="utf-8"))
        hooks = [hook for repo in content["repos"] for hook in repo["hooks"]]
    except (OSError, yaml.YAMLError, TypeError, KeyError):
        return None  # pre-commit says what is wrong with it
    for hook in hooks:
        words = " ".join([str(hook.get("id")), str(hook.get("entry")), *hook.get("args", [])])
        if HOOK in words:
            given = re.search(r"--maxkb[= ](\d+)", words)
            return int(given[1] if given else DEFAULT_KB) * 1024, str(hook.get("exclude", ""))
    return None


def _in_lfs(root: Path, name: str) -> bool:
    """Whether git keeps the file in Git LFS."""
    return git.text(root, "check-attr", "-z", "filter", "--", name).split("\0")[2:3] == ["lfs"]
