"""A scratch clone of a project, to rehearse an update and to find drift."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_platform.template.ownership import Rule, rules

from hooks.copier_runs import git_held_off
from hooks.projects import ANSWERS, RecordedAnswers, git, read_answers

CONFLICT_MARKER = "^(<<<<<<< before|>>>>>>> after) updating"


@dataclass(frozen=True)
class Rehearsal:
    """The harm an update would do: conflicts, edits that it loses, answers that it changes.

    Edits are lost without a conflict if the template deletes the file, or if the file is binary.
    An answer changes if a release no longer accepts it.
    """

    conflicts: list[str] = field(default_factory=list)
    lost_edits: list[str] = field(default_factory=list)
    changed_answers: list[str] = field(default_factory=list)

    def problems(self) -> str:
        """Why a person must review this update; empty if there is no reason."""
        parts = {
            "conflicts in": self.conflicts,
            "edits would be lost in": self.lost_edits,
            "answers would change:": self.changed_answers,
        }
        return "; ".join(
            f"{problem} {', '.join(names)}" for problem, names in parts.items() if names
        )


@dataclass(frozen=True)
class Scratch:
    """A clone of a project's last commit, and a folder for a pristine render beside it.

    `rules` are the file owners of the recorded release; None if it has no list of them.
    """

    clone: Path
    pristine: Path
    recorded: RecordedAnswers
    rules: list[Rule] | None

    def fill(self, project: Path, commit: str) -> None:
        """Clone the project, with its identity and no other of its git settings."""
        settings = ["core.fsync=none"]
        identity = ("config", "--null", "--get-regexp", r"^user\.(name|email)$")
        for line in git(project, *identity, accept=(0, 1)).split("\0"):
            if line:  # a repository may have an identity of its own
                settings.append(line.replace("\n", "=", 1))
        options = [f"--config={setting}" for setting in settings]
        quiet = ("--quiet", "--shared", "--no-checkout", "--no-tags", "--template=")
        local = {"protocol.file.allow": "always"}
        address = str(project.resolve())
        git(project, "clone", *quiet, *options, "--", address, str(self.clone), settings=local)
        git(self.clone, "checkout", "--quiet", "--detach", commit)

    def update(self, release: str) -> Rehearsal:
        """Update the clone without trust, and find what the team would have to review."""
        import copier  # noqa: PLC0415  slow, only for workers

        with git_held_off():
            copier.run_update(
                self.clone, vcs_ref=release, defaults=True, overwrite=True, quiet=True, unsafe=False
            )
        unmerged = git(self.clone, "diff-files", "--name-only", "--diff-filter=U", "-z").split("\0")
        conflicts = {name for name in unmerged if name} | set(self.files_with_markers())
        text = (self.clone / ANSWERS).read_text(encoding="utf-8")
        changed = _changed_answers(self.recorded.answers, read_answers(text, ANSWERS).answers)
        return Rehearsal(sorted(conflicts), self._lost_edits(), changed)

    def files_with_markers(self) -> list[str]:
        """Files with a conflict marker of Copier, even if git does not know of the conflict."""
        options = ("--untracked", "--name-only", "--null", "--extended-regexp")
        found = git(self.clone, "grep", *options, CONFLICT_MARKER, accept=(0, 1))
        return sorted(name for name in found.split("\0") if name)

    def drift(self) -> list[str]:
        """What `poe template-check` would report about managed files."""
        from mlops_platform.template import conformance  # noqa: PLC0415  slow, only for workers

        self._render()
        compared = conformance.compare(self.clone, self.pristine, self.rules or rules())
        found = [f"{each.path} ({each.kind})" for each in compared.differences]
        return found + [f"conf/forks.yml: {fault}" for fault in compared.fork_problems]

    def _lost_edits(self) -> list[str]:
        """Files with edits of the team that the update deleted or, if binary, replaced."""
        numbers = git(self.clone, "diff-index", "--numstat", "--no-renames", "-z", "HEAD").split(
            "\0"
        )
        lines = [line.split("\t", 2) for line in numbers if line]
        candidates = [
            name for added, _, name in lines if added == "-" or not (self.clone / name).exists()
        ]
        if candidates:
            self._render()
        return [name for name in candidates if self._edited(name)]

    def _edited(self, name: str) -> bool:
        """Whether the team's last commit differs from what the template rendered."""
        rendered = self.pristine / name
        if not rendered.is_file():
            return False
        committed = git(self.clone, "rev-parse", f"HEAD:{name}")
        return committed != git(self.clone, "hash-object", "--no-filters", str(rendered))

    def _render(self) -> None:
        """Render the recorded commit with the recorded answers, once."""
        import copier  # noqa: PLC0415  slow, only for workers

        if self.pristine.exists():
            return
        answers = self.recorded.answers
        with git_held_off():
            copier.run_copy(
                self.recorded.source,
                self.pristine,
                data={key: answers[key] for key in answers if not key.startswith("_")},
                vcs_ref=self.recorded.commit,
                defaults=True,
                quiet=True,
                unsafe=False,
            )


def _changed_answers(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Answers that exist before and after, and differ."""
    return [
        f"{key} from {value!r} to {after[key]!r}"
        for key, value in before.items()
        if not key.startswith("_") and key in after and after[key] != value
    ]
