"""The release check of the rendered files: none is renamed or removed without a rule.

Copier deletes a file that a release no longer renders, even if the team has edited it.
"""

import re

from mlops_platform.template.ownership import owner_of, rules

from hooks.release.questions import Answers, Questions
from hooks.release.repository import section

MOVE = "hooks/migrations/move.py"
PACKAGE = "hooks/migrations/package.py"
WHEEL = re.compile(r"vendor/mlops_platform-\d+\.\d+\.\d+-py3-none-any\.whl")


def file_problems(old: Questions, new: Questions, version: str) -> list[str]:
    """Files that projects would lose in an update to `version`, each with what to do."""
    removed: dict[str, Answers] = {}
    for given in old.combinations():
        for name in old.names(given) - new.names(given):
            removed.setdefault(name, given)
    return [
        problem
        for name, given in sorted(removed.items())
        if (problem := _problem(name, given, new, version))
    ]


def _problem(name: str, given: Answers, new: Questions, version: str) -> str:
    """What is wrong with a file that is no longer rendered; empty if a rule covers it."""
    if _moved(new, version, given).get(name) in new.names(given):
        return ""
    if _is_kept_as_patch(name, new, version, given) or _is_replaced_wheel(name, new, given):
        return ""
    if not new.kept_on_update(name, given):
        return (
            f"{name} is no longer rendered, so updates would delete it, edited or not. Renamed: "
            f"write a migration with {MOVE}. Removed: add it to copier.yml's `_exclude` for "
            "updates; then projects that have it keep it."
        )
    if _owner(name) != "seed" and f"Removed: `{name}`" not in section(new.folder, version):
        return (
            f"{name} is no longer rendered and stays in projects that have it. Tell their teams: "
            f"add a line to CHANGELOG.md, {version}, with Removed: `{name}`."
        )
    return ""


def _moved(new: Questions, version: str, given: Answers) -> dict[str, str]:
    """Old and new names of the files that migrations move."""
    answers = new.answers(given)
    moves: dict[str, str] = {}
    for script, *arguments in new.migrations(version):
        if script == MOVE:
            names = [new.render(argument, answers) for argument in arguments]
            moves.update(zip(names[::2], names[1::2], strict=True))
    return moves


def _is_kept_as_patch(name: str, new: Questions, version: str, given: Answers) -> bool:
    """Whether a migration removes the file and saves the team's edits of it as a patch."""
    answers = new.answers(given)
    return any(
        name == "uv.toml" or name.startswith(f"src/{new.render(arguments[0], answers)}/mlops/")
        for script, *arguments in new.migrations(version)
        if script == PACKAGE
    )


def _is_replaced_wheel(name: str, new: Questions, given: Answers) -> bool:
    """Whether it is the platform's wheel, and the release renders its own: nobody edits one."""
    return bool(WHEEL.fullmatch(name)) and any(map(WHEEL.fullmatch, new.names(given)))


def _owner(name: str) -> str:
    return str(owner_of(name, rules()))
