"""A scratch clone of a project, in which an update is rehearsed and drift is found."""

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from hooks.ownership import STANDARD
from hooks.projects import ANSWERS, Recorded, git, recorded

MARKER = "^(<<<<<<< before|>>>>>>> after) updating"


@dataclass(frozen=True)
class Rehearsal:
    """What an update would do to a team: conflicts, edits that it drops, answers that it changes.

    Edits are lost without a conflict where the template deletes a file, or where it is binary; an
    answer changes where a release no longer accepts it.
    """

    conflicts: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def fault(self) -> str:
        """Why nobody should take this update unseen; empty where all is well."""
        parts = {
            "conflicts in": self.conflicts,
            "edits would be lost in": self.losses,
            "answers would change:": self.answers,
        }
        return "; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names)


@dataclass(frozen=True)
class Scratch:
    """A clone of what a project has committed, and a place for a pristine render beside it."""

    clone: Path
    pristine: Path
    known: Recorded

    def fill(self, project: Path, commit: str) -> None:
        """Clone; nothing that others installed into git runs in it."""
        settings = ["core.hooksPath=" + os.devnull, "core.fsync=none", "maintenance.auto=false"]
        asked = ("config", "--null", "--get-regexp", r"^user\.(name|email)$")
        for line in git(project, *asked, accept=(0, 1)).split("\0"):
            if line:  # a repository may have an identity of its own
                settings.append(line.replace("\n", "=", 1))
        options = [f"--config={setting}" for setting in settings]
        quiet = ("--quiet", "--shared", "--no-checkout", "--no-tags", "--template=")
        git(project, "clone", *quiet, *options, "--", str(project.resolve()), str(self.clone))
        git(self.clone, "checkout", "--quiet", "--detach", commit)

    def update(self, release: str) -> Rehearsal:
        """Update the clone without trust, and see what the team would have to look at."""
        import copier  # noqa: PLC0415  takes a second; only workers need it, each once

        copier.run_update(
            self.clone, vcs_ref=release, defaults=True, overwrite=True, quiet=True, unsafe=False
        )
        unmerged = git(self.clone, "diff", "--name-only", "--diff-filter=U", "-z").split("\0")
        conflicts = {name for name in unmerged if name} | set(self.marked())
        text = (self.clone / ANSWERS).read_text(encoding="utf-8")
        changed = _changed(self.known.answers, recorded(text, ANSWERS).answers)
        return Rehearsal(sorted(conflicts), self._losses(), changed)

    def marked(self) -> list[str]:
        """Files with a conflict marker of Copier's, whether git knows of the conflict or not."""
        options = ("--untracked", "--name-only", "--null", "--extended-regexp")
        found = git(self.clone, "grep", *options, MARKER, accept=(0, 1))
        return sorted(name for name in found.split("\0") if name)

    def drift(self) -> list[str]:
        """What `poe template-check` would say of managed files."""
        self._render()
        conformance = _conformance()
        listed = next(self.pristine.glob("src/*/mlops/ownership.toml"), None)
        owned = conformance.rules(listed) if listed else conformance.rules()
        compared = conformance.compare(self.clone, self.pristine, owned)
        found = [f"{each.path} ({each.kind})" for each in compared.differences]
        return found + [f"conf/forks.yml: {fault}" for fault in compared.faults]

    def _losses(self) -> list[str]:
        """Files that the team had edited and the update deleted, or replaced as binary."""
        numbers = git(self.clone, "diff", "--numstat", "--no-renames", "-z", "HEAD").split("\0")
        lines = [line.split("\t", 2) for line in numbers if line]
        suspects = [
            name for added, _, name in lines if added == "-" or not (self.clone / name).exists()
        ]
        if suspects:
            self._render()
        return [name for name in suspects if self._edited(name)]

    def _edited(self, name: str) -> bool:
        """Whether the template rendered this file and the team's last commit has another."""
        rendered = self.pristine / name
        if not rendered.is_file():
            return False
        committed = git(self.clone, "rev-parse", f"HEAD:{name}")
        return committed != git(self.clone, "hash-object", "--no-filters", str(rendered))

    def _render(self) -> None:
        """Render the recorded commit with the recorded answers, once."""
        import copier  # noqa: PLC0415  see `update`

        if self.pristine.exists():
            return
        answers = self.known.answers
        copier.run_copy(
            self.known.source,
            self.pristine,
            data={key: answers[key] for key in answers if not key.startswith("_")},
            vcs_ref=self.known.commit,
            defaults=True,
            quiet=True,
            unsafe=False,
        )


def _conformance() -> ModuleType:
    """The check that projects carry, from the template."""
    if str(STANDARD.parent) not in sys.path:
        sys.path.insert(0, str(STANDARD.parent))
    return importlib.import_module("mlops.conformance")


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Answers that are there before and after, and differ."""
    return [
        f"{key} from {value!r} to {after[key]!r}"
        for key, value in before.items()
        if not key.startswith("_") and key in after and after[key] != value
    ]
