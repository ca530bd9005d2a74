"""A copy of the project's last commit, in which an update is tried before the project changes.

It is a repository of its own with the project at its top. So Copier meets no file that git ignores,
no other folder of a monorepo, and no setting or hook of the project's repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mlops_platform.core import git
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file
from mlops_platform.template.rendering import ANSWERS, run_copier

AUTHOR = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "update"), ("EMAIL", "update@localhost"))
}
# A file that Git LFS keeps elsewhere stays as it is in the commit; nothing has to be fetched.
NO_DOWNLOAD = {"GIT_LFS_SKIP_SMUDGE": "1"}


class Change(NamedTuple):
    """A file that differs from the last commit: A added, M modified, D deleted."""

    kind: str
    path: str


@dataclass(frozen=True)
class Scratch:
    """The copy in `folder` of the project in `root`."""

    root: Path
    folder: Path

    def fill(self, answers: str | None = None) -> None:
        """Copy the last commit; `answers` replaces the text of the answers file."""
        self.folder.mkdir()
        kind = f"--object-format={self._object_format()}"
        git.run(self.folder, "init", "--quiet", kind)
        objects = self.root / git.text(self.root, "rev-parse", "--git-path", "objects")
        alternates = self.folder / ".git" / "objects" / "info" / "alternates"
        alternates.write_bytes(os.fsencode(f"{objects.resolve().as_posix()}\n"))
        self._commit(git.text(self.root, "rev-parse", "HEAD:./"))
        git.run(self.folder, "reset", "--quiet", "--hard", variables=NO_DOWNLOAD)
        if answers is not None:
            (self.folder / ANSWERS).write_text(answers, encoding="utf-8", newline="\n")
            git.run(self.folder, "add", "--", ANSWERS)
            self._commit(git.text(self.folder, "write-tree"))

    def copier(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Copier here."""
        variables = NO_DOWNLOAD | {"GIT_DEFAULT_HASH": self._object_format()}
        # A user's list of ignored files must not hide one of the template's from Copier.
        settings = {"core.excludesFile": os.devnull}
        return run_copier(*arguments, cwd=self.folder, settings=settings, variables=variables)

    def changes(self) -> list[Change]:
        """What differs from the last commit, also files that git ignores."""
        index = {"GIT_INDEX_FILE": str(self.folder / ".git" / "changes"), **NO_DOWNLOAD}
        git.run(self.folder, "read-tree", "HEAD", variables=index)
        git.run(self.folder, "add", "--all", "--force", variables=index)
        asked = ("diff-index", "--cached", "--name-status", "--no-renames", "-z", "HEAD")
        fields = git.decode(git.run(self.folder, *asked, variables=index)).split("\0")
        return [
            Change("M" if kind == "T" else kind, path)
            for kind, path in zip(fields[0::2], fields[1::2], strict=False)
        ]

    def conflicts(self) -> list[str]:
        """Files with conflicts."""
        return git.names(self.folder, "diff-files", "--name-only", "--diff-filter=U", "-z")

    def committed(self, path: str) -> bytes:
        """The bytes of a file in the last commit."""
        return git.run(self.folder, "cat-file", "blob", f"HEAD:{path}")

    def obstacles(self, changes: Iterable[Change]) -> list[str]:
        """What lies in the project, unknown to git, where an added file would go."""
        return sorted(
            {
                found
                for kind, path in changes
                if kind == "A" and (found := self._obstacle(path)) is not None
            }
        )

    def transfer(self, changes: Iterable[Change]) -> None:
        """Write the changes and open conflicts to the project.

        New files come first and deletions last, so that a stop in between leaves no file that
        names a missing one.

        Raises:
            UsageError: a file cannot be written; all are as they were.
        """
        ordered = sorted(changes, key=lambda each: "AMD".index(each.kind))
        try:
            for kind, path in ordered:
                if kind == "D":
                    self._delete(path)
                else:
                    self._copy(path)
        except OSError as error:
            self._restore(ordered)
            raise UsageError(
                f"{error.filename}: cannot be written ({error.strerror}), nothing was changed. "
                "Free the place or the permission, then update."
            ) from None
        self._mark_conflicts()

    def _object_format(self) -> str:
        return git.text(self.root, "rev-parse", "--show-object-format")

    def _commit(self, tree: str) -> None:
        made = git.run(self.folder, "commit-tree", tree, "-m", "The project", variables=AUTHOR)
        git.run(self.folder, "update-ref", "HEAD", git.decode(made).strip())

    def _obstacle(self, path: str) -> str | None:
        """The file in the way of a new one, or of one of its folders; None if there is none."""
        for folder in list(PurePosixPath(path).parents)[-2::-1]:
            place = self.root / folder
            if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                return str(folder)
        place = self.root / path
        if not os.path.lexists(place):
            return None
        made = self.folder / path
        same = not place.is_symlink() and place.is_file() and not made.is_symlink()
        return None if same and place.read_bytes() == made.read_bytes() else path

    def _copy(self, path: str) -> None:
        with atomic_file(self.root / path) as file:
            shutil.copy(self.folder / path, file, follow_symlinks=False)

    def _delete(self, path: str) -> None:
        file = self.root / path
        file.unlink(missing_ok=True)
        for folder in file.relative_to(self.root).parents:
            if folder == Path() or any((self.root / folder).iterdir()):
                break
            (self.root / folder).rmdir()

    def _restore(self, changes: Iterable[Change]) -> None:
        """Undo a transfer that stopped: the project had no other changes."""
        for kind, path in changes:
            if kind == "A":
                self._delete(path)
            else:
                name = f":(top,literal){self._prefix()}{path}"
                git.run(self.root, "checkout", "--quiet", "HEAD", "--", name)

    def _prefix(self) -> str:
        return git.text(self.root, "rev-parse", "--show-prefix")

    def _mark_conflicts(self) -> None:
        """Record conflicts in the index of the project's repository: `git status` shows them."""
        listed = git.decode(git.run(self.folder, "ls-files", "--unmerged", "-z"))
        entries = [entry.split("\t", 1) for entry in listed.split("\0") if entry]
        prefix, lines = self._prefix(), []
        for about, path in entries:
            mode, name, stage = about.split()
            lines.append(f"0 {'0' * len(name)}\t{prefix}{path}\0")
        for about, path in entries:
            mode, name, stage = about.split()
            content = git.run(self.folder, "cat-file", "blob", name)
            write = ("hash-object", "-w", "--stdin")
            written = git.decode(git.run(self.root, *write, stdin=content)).strip()
            lines.append(f"{mode} {written} {stage}\t{prefix}{path}\0")
        if lines:
            top = Path(git.text(self.root, "rev-parse", "--show-toplevel"))
            command = ("update-index", "-z", "--index-info")
            git.run(top, *command, stdin=git.encode("".join(lines)))
