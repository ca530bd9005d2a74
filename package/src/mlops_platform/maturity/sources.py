"""Where facts are looked for: the project's files, git, its last runs and its registry.

Each is read when a fact first asks for it, once.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_platform import settings
from mlops_platform.core import git, placeholders
from mlops_platform.core.files import unreadable
from mlops_platform.report import collect
from mlops_platform.settings import Decisions, Project, Reuse, Team
from mlops_platform.tracking import store

if TYPE_CHECKING:
    from mlops_platform.tracking.roles import Version

CI_FOLDERS = (".github/workflows", ".azuredevops")
EXAMPLE = re.compile(r"@example\.(com|org|net)$", re.IGNORECASE)  # nobody's: RFC 2606
NO_REPOSITORY = "not a git repository"


@dataclass(frozen=True)
class Sources:
    """A project, as it is today."""

    root: Path
    today: datetime.date

    @property
    def conf(self) -> Path:
        """Its settings."""
        return self.root / "conf"

    @cached_property
    def project(self) -> Project:
        """conf/project.yml."""
        return settings.load_project(self.conf)

    @cached_property
    def team(self) -> Team | None:
        """conf/team.yml, if there is one."""
        return settings.load_team(self.conf) if self.has("conf/team.yml") else None

    @cached_property
    def reuse(self) -> Reuse | None:
        """conf/reuse.yml, if there is one."""
        return settings.load_reuse(self.conf)

    @cached_property
    def decisions(self) -> Decisions | None:
        """conf/stage.yml, if there is one."""
        return settings.load_decisions(self.conf)

    @property
    def has_cloud(self) -> bool:
        """Whether the project has settings for Azure."""
        return self.has("conf/dev.yml")

    @cached_property
    def run(self) -> collect.Run:
        """The evidence of the last runs."""
        return collect.read_outputs(self.root / "outputs")

    @cached_property
    def versions(self) -> list[Version] | None:
        """All versions in the registry; None if this machine has no registry to ask."""
        if not store.has_store(self.conf):
            return None
        from mlops_platform.tracking.registry import Registry  # noqa: PLC0415  MLflow: a second

        return Registry(self.conf).versions()

    @cached_property
    def ci(self) -> dict[str, str]:
        """The files of the CI service, by name without extension; empty without one."""
        folder = next((self.root / name for name in CI_FOLDERS if self.has(name)), None)
        files = sorted(folder.glob("*.yml")) if folder else []
        return {file.stem: read(file) for file in files}

    def has(self, path: str) -> bool:
        """Whether the project has a file or folder."""
        return (self.root / path).exists()

    def text(self, path: str) -> str | None:
        """The text of a page without its comments; None if there is no such page."""
        file = self.root / path
        if not file.is_file():
            return None
        return placeholders.without_comments(read(file))

    def gap(self, path: str) -> str:
        """Why a page is not written; empty if it is: each section has text, and no placeholder."""
        text = self.text(path)
        if text is None:
            return "does not exist"
        sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
        for section in sections:
            title, _, body = section.partition("\n")
            if gap := placeholders.gap(body):
                return f"section `{title.strip()}` {gap}"
        return "" if sections else "has no sections"

    def dates(self, path: str, word: str) -> list[datetime.date]:
        """The dates of lines such as `Reviewed: 2026-11-30` in a page, up to today."""
        found = re.findall(
            rf"^{word}: (\d{{4}}-\d{{2}}-\d{{2}})\b", self.text(path) or "", re.MULTILINE
        )
        dates = [day for text in found if (day := _date(text))]
        return sorted(day for day in dates if day <= self.today)

    @cached_property
    def commit(self) -> str:
        """The commit that is checked out; empty without one, or without git."""
        try:
            return git.text(self.root, "rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1))
        except git.GitError as error:
            if NO_REPOSITORY in error.reason:
                return ""
            raise

    @cached_property
    def authors(self) -> int:
        """How many people committed in the last year: their number, no names."""
        if not self.commit:
            return 0
        since = self.today - datetime.timedelta(days=365)
        listed = git.text(self.root, "log", "--format=%aE", f"--since={since.isoformat()}")
        return len({line.casefold() for line in listed.splitlines()})

    @cached_property
    def is_shallow(self) -> bool:
        """Whether the clone has only a part of the history, as in CI."""
        return git.text(self.root, "rev-parse", "--is-shallow-repository") == "true"

    def uncommitted(self, paths: Sequence[str]) -> list[str]:
        """Which of these files and folders git does not have, or not as they are now."""
        kept = git.names(self.root, "ls-files", "-z", "--", *paths)
        changed = git.names(self.root, "status", "--porcelain", "--no-renames", "-z", "--", *paths)
        changed = [line[3:] for line in changed]

        def within(path: str, names: list[str]) -> bool:
            return any(name == path or name.startswith(f"{path}/") for name in names)

        return [path for path in paths if not within(path, kept) or within(path, changed)]


def read(file: Path) -> str:
    """The text of a file.

    Raises:
        UsageError: it is no text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from None


def is_somebody(address: str) -> bool:
    """Whether an address can reach a person: those of `example.com` reach nobody."""
    return not EXAMPLE.search(address)


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None
