"""Releases to update from and to: ours, the working tree, and two planted ones after it."""

import functools
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import copier

from hooks.ownership import ownership
from hooks.release.history import Release, tagged_clone
from tests.conftest import Project
from tests.rendering import commit_all

DEFAULTS = {"project_name": "Credit Risk"}
OTHERS = {
    "project_name": "Energy Demand",
    "task": "regression",
    "serving": "batch",
    "ci": "azure-devops",
    "cloud": "none",
}
ONLINE = {"project_name": "Credit Risk", "serving": "online", "cloud": "none", "regulated": True}
COMBINATIONS = {"defaults": DEFAULTS, "others": OTHERS, "online": ONLINE}
COMMENTS = {".md": "<!-- {} -->\n", ".html": "<!-- {} -->\n"}
PARTS = ("copier.yml", "includes", "template", "hooks/migrations")
UNPLANTED = {".csv", ".png", ".ipynb"}


def git(folder: Path, *arguments: str) -> str:
    """What a git command in `folder` prints."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Template:
    """A repository with a tag for each release."""

    def __init__(self, path: Path, renders: Path) -> None:
        self.path, self.renders = path, renders
        self.rendered: dict[str, Path] = {}
        self.past: list[Release] = []
        self.now = ""

    @classmethod
    def of_this_repository(cls, folder: Path) -> "Template":
        """Our releases, the working tree, and two after it that have news in every file."""
        template = cls(folder / "copier-mlops", folder / "renders")
        *template.past, now = tagged_clone(folder / "clone")
        template.now = now.tag
        for release in (*template.past, now):
            template.take(folder / "clone", release.tag, release.tag)
        for number in (1, 2):
            template.plant_news(number)
            template.release(f"v99.0.{number}")
        return template

    def take(self, clone: Path, tag: str, release: str | None) -> None:
        """Release what Copier reads of another repository's tag; it copies all of it each time."""
        for part in PARTS:
            shutil.rmtree(self.path / part, ignore_errors=True)
        self.path.mkdir(exist_ok=True)
        there = git(clone, "ls-tree", "--name-only", tag, *PARTS).split()
        git(clone, f"--work-tree={self.path}", "checkout", "--force", tag, "--", *there)
        if release:
            self.release(release)

    def release(self, tag: str) -> None:
        """Commit and tag."""
        commit_all(self.path, tag)
        git(self.path, "tag", tag)

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Each file that the template holds, with about the name that it gets."""
        root = self.path / "template"
        for source in sorted(root.rglob("*")):
            if source.is_file() and "_copier_conf" not in source.name:
                name = source.relative_to(root).as_posix().removesuffix(".jinja")
                for sign in ("[% if github %]", "[% if azure_devops %]", "[% endif %]"):
                    name = name.replace(sign, "")
                yield name.replace("[[package_name]]", "credit_risk"), source

    def plant_news(self, number: int) -> None:
        """Give every file, seeds included, news in its second line, and add some files."""
        for name, source in self.sources():
            if Path(name).suffix in UNPLANTED:
                continue
            text = source.read_text(encoding="utf-8")
            line = COMMENTS.get(Path(name).suffix, "# {}\n").format(f"News {number}")
            first, rest = text.split("\n", 1)
            source.write_text(f"{first}\n{line}{rest}", encoding="utf-8")
        template = self.path / "template"
        standard = template / "src" / "[[package_name]]" / "mlops"
        (standard / f"news_{number}.py").write_text(f'"""News {number}."""\n')
        (template / "conf" / f"news_{number}.yml").write_text(f"news: {number}\n")
        (template / "notebooks" / f"news_{number}.md").write_text(f"News {number}\n")

    def copy(self, tag: str, answers: Mapping[str, Any], folder: Path) -> Path:
        """Render a release, without trust."""
        copier.run_copy(
            str(self.path), folder, data=dict(answers), vcs_ref=tag, defaults=True, quiet=True
        )
        return folder

    def pristine(self, tag: str, answers: Mapping[str, Any]) -> Path:
        """A fresh copy; for reading only."""
        key = json.dumps([tag, answers], sort_keys=True)
        if key not in self.rendered:
            folder = self.renders / str(len(self.rendered))
            self.rendered[key] = self.copy(tag, answers, folder)
        return self.rendered[key]

    def start(self, tag: str, answers: Mapping[str, Any], folder: Path) -> Project:
        """A project of a release, committed."""
        shutil.copytree(self.pristine(tag, answers), folder)
        commit_all(folder, "Start")
        return Project(folder)

    def update(self, project: Project, tag: str, *, unsafe: bool = False, **data: Any) -> None:
        """Update without a question."""
        copier.run_update(
            project.path,
            data=data,
            vcs_ref=tag,
            defaults=True,
            overwrite=True,
            unsafe=unsafe,
            quiet=True,
        )


def owner_of(path: str) -> str:
    """Whose file it is, by the list of the working tree."""
    owned, listed = owners()
    return owned.owner_of(path, listed)


def is_needed(path: str) -> bool:
    """Whether an update brings the file where it is missing."""
    _, listed = owners()
    return any(rule.needed for rule in listed if rule.matches(path))


def stays(path: str) -> bool:
    """Whether an update leaves the file alone where it is."""
    return owner_of(path) == "seed" or is_needed(path)


@functools.cache
def owners() -> tuple[ModuleType, list[Any]]:
    """The module that projects carry, and its rules."""
    module = ownership()
    return module, module.rules()
