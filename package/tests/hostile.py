"""Surroundings that make git do or print something else: a user's settings, a hook's repository."""

import subprocess
from pathlib import Path

import pytest

# One name a line, so that a test names the one that bites.
SETTINGS = {
    "apply.ignoreWhitespace": "change",
    "apply.whitespace": "error",
    "color.branch": "always",
    "color.diff": "always",
    "color.grep": "always",
    "color.status": "always",
    "color.ui": "always",
    "column.ui": "always",
    "commit.gpgSign": "true",
    "core.attributesFile": "{folder}/attributes",
    "core.autocrlf": "true",
    "core.fsmonitor": "{folder}/hooks/fsmonitor",
    "core.hooksPath": "{folder}/hooks",
    "core.pager": "{folder}/hooks/pager",
    "core.quotePath": "false",
    "core.safecrlf": "true",
    "diff.context": "0",
    "diff.external": "true",
    "diff.interHunkContext": "9",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "diff.odd.command": "true",
    "diff.odd.textconv": "false",
    "diff.orderFile": "{folder}/missing",
    "diff.relative": "true",
    "diff.renames": "copies",
    "gpg.program": "false",
    "grep.patternType": "fixed",
    "i18n.commitEncoding": "latin1",
    "i18n.logOutputEncoding": "latin1",
    "init.defaultBranch": "no..name",
    "init.templateDir": "{folder}/templates",
    "log.showSignature": "true",
    "merge.conflictStyle": "diff3",
    "safe.bareRepository": "explicit",
    "status.branch": "true",
    "status.relativePaths": "true",
    "status.short": "true",
    "status.showUntrackedFiles": "no",
    "submodule.recurse": "true",
    "tag.gpgSign": "true",
    "user.useConfigOnly": "true",
}
VARIABLES = {
    "GIT_DIFF_OPTS": "-u0",
    "GIT_EXTERNAL_DIFF": "true",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "false",
    "GIT_TEMPLATE_DIR": "{folder}/templates",
    "LANG": "de_DE.UTF-8",
    "LANGUAGE": "de",
    "LC_ALL": "de_DE.UTF-8",
}
OF_A_HOOK = {
    "GIT_DIR": "{folder}/victim/.git",
    "GIT_INDEX_FILE": "{folder}/victim/.git/index",
    "GIT_WORK_TREE": "{folder}/victim",
    "GIT_PREFIX": "elsewhere/",
}
KINDS = ("settings", "variables", "hook")
HOOKS = (
    "fsmonitor",
    "pager",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "pre-commit",
    "prepare-commit-msg",
    "reference-transaction",
)


class Surroundings:
    """Seeded surroundings in `folder`, and what shows that something of them was used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.victim = folder / "victim"
        self.witness = folder / "witness"
        for name in ("hooks", "templates/hooks", "victim"):
            (folder / name).mkdir(parents=True)
        for hook in HOOKS:
            for home in ("hooks", "templates/hooks"):
                (folder / home / hook).write_text(
                    f"#!/bin/sh\necho {hook} >> {self.witness}\nexit 1\n"
                )
                (folder / home / hook).chmod(0o755)
        (folder / "attributes").write_text("* diff=odd\n")
        (self.victim / "work.txt").write_text("committed")
        for command in ("init --quiet", "add .", "commit --quiet -m Start"):
            subprocess.run(["git", *command.split()], cwd=self.victim, check=True)
        (self.victim / "work.txt").write_text("a commit in progress")
        subprocess.run(["git", "add", "."], cwd=self.victim, check=True)
        self.before = self.state()

    def seed(self, patch: pytest.MonkeyPatch, kind: str) -> None:
        """Set one kind of surroundings, until the test ends."""
        if kind == "settings":
            settings = self.folder / "gitconfig"
            for name, value in SETTINGS.items():
                text = value.format(folder=self.folder)
                subprocess.run(["git", "config", "--file", str(settings), name, text], check=True)
            patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        for name, value in {"variables": VARIABLES, "hook": OF_A_HOOK}.get(kind, {}).items():
            patch.setenv(name, value.format(folder=self.folder))

    def state(self) -> dict[str, bytes]:
        """All that is in the repository whose hook seems to run."""
        return {str(path): path.read_bytes() for path in self.victim.rglob("*") if path.is_file()}

    def assert_unused(self) -> None:
        """No program of the settings ran, and the hook's repository is as it was."""
        used = self.witness.read_text() if self.witness.exists() else ""
        assert used == ""
        assert self.state() == self.before
