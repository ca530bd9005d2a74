"""Releases to update from and to: ours, the work tree, and two test releases after it."""

import functools
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import copier
import yaml
from mlops_platform.template.ownership import Rule, owner_of, rules

from hooks.release.history import Release, tagged_clone
from tests.projects import Project
from tests.rendering import ROOT, commit_all

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
PARTS = (
    "copier.yml",
    "includes",
    "template",
    "hooks/migrations",
    "package/src/mlops_platform/core",
    "package/src/mlops_platform/template",
)
NOT_CHANGED = {".csv", ".png", ".ipynb", ".whl"}


def git(folder: Path, *arguments: str) -> str:
    """The output of a git command in `folder`."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Template:
    """A repository with a tag for each release."""

    def __init__(self, path: Path, renders: Path) -> None:
        self.path, self.renders = path, renders
        self.rendered: dict[str, Path] = {}
        self.past: list[Release] = []
        self.current = ""

    @classmethod
    def of_this_repository(cls, folder: Path) -> "Template":
        """Our releases, the work tree, and two after it that change every file."""
        template = cls(folder / "copier-mlops", folder / "renders")
        *template.past, current = tagged_clone(folder / "clone")
        template.current = current.tag
        for release in (*template.past, current):
            template.copy_release(folder / "clone", release.tag, release.tag)
        for number in (1, 2):
            template.add_changes(number)
            template.release(f"v99.0.{number}")
        return template

    def copy_release(self, clone: Path, tag: str, release: str | None) -> None:
        """Take the files of another repository's tag that Copier reads, and release them."""
        for part in PARTS:
            shutil.rmtree(self.path / part, ignore_errors=True)
        self.path.mkdir(exist_ok=True)
        listed = git(clone, "ls-tree", "--name-only", tag, *PARTS).split()
        git(clone, f"--work-tree={self.path}", "checkout", "--force", tag, "--", *listed)
        if release:
            self.release(release)

    def release(self, tag: str) -> None:
        """Commit and tag."""
        commit_all(self.path, tag)
        git(self.path, "tag", tag)

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Each file of the template, with approximately the name that it gets."""
        root = self.path / "template"
        for source in sorted(root.rglob("*")):
            if source.is_file() and "_copier_conf" not in source.name:
                name = source.relative_to(root).as_posix().removesuffix(".jinja")
                for sign in ("[% if github %]", "[% if azure_devops %]", "[% endif %]"):
                    name = name.replace(sign, "")
                yield name.replace("[[package_name]]", "credit_risk"), source

    def add_changes(self, number: int) -> None:
        """Change the second line of every file, including seeds, and add some files."""
        for name, source in self.sources():
            if Path(name).suffix in NOT_CHANGED:
                continue
            text = source.read_text(encoding="utf-8")
            line = COMMENTS.get(Path(name).suffix, "# {}\n").format(f"Change {number}")
            first, rest = text.split("\n", 1)
            source.write_text(f"{first}\n{line}{rest}", encoding="utf-8")
        template = self.path / "template"
        (template / "pipelines" / f"new_{number}.yml").write_text(f"new: {number}\n")
        (template / "conf" / f"new_{number}.yml").write_text(f"new: {number}\n")
        (template / "notebooks" / f"new_{number}.md").write_text(f"New {number}\n")

    def copy(self, tag: str, answers: Mapping[str, Any], folder: Path) -> Path:
        """Render a release, without trust."""
        copier.run_copy(
            str(self.path), folder, data=dict(answers), vcs_ref=tag, defaults=True, quiet=True
        )
        return folder

    def pristine(self, tag: str, answers: Mapping[str, Any]) -> Path:
        """A fresh copy; read-only."""
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
        """Update without asking questions."""
        copier.run_update(
            project.path,
            data=data,
            vcs_ref=tag,
            defaults=True,
            overwrite=True,
            unsafe=unsafe,
            quiet=True,
        )


def is_needed(path: str) -> bool:
    """Whether an update adds the file if it is missing."""
    return next((rule.needed for rule in file_owners() if rule.matches(path)), False)


def stays(path: str) -> bool:
    """Whether an update does not change the file if it exists."""
    return owner_of(path, file_owners()) == "seed" or is_needed(path) or path in left_alone()


@functools.cache
def left_alone() -> set[str]:
    """Files that copier.yml leaves out of updates, by their whole names: they were removed."""
    patterns = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))["_exclude"]
    return {each.partition("]/")[2].partition("[")[0] for each in patterns if "*" not in each}


@functools.cache
def file_owners() -> list[Rule]:
    """The file owners of the work tree."""
    return rules()
