"""What a release check looks for in the rendered files: none is renamed or removed without a rule.

Copier deletes a file that a release no longer renders, also where the team has edited it.
"""

from hooks.ownership import ownership
from hooks.questions import Answers, Questions
from hooks.release_texts import section

MOVE = "hooks/migrations/move.py"


def file_faults(old: Questions, new: Questions, version: str) -> list[str]:
    """Files that projects lose by an update to `version`, each with what to do."""
    gone: dict[str, Answers] = {}
    for given in old.combinations():
        for name in old.names(given) - new.names(given):
            gone.setdefault(name, given)
    return [
        fault
        for name, given in sorted(gone.items())
        if (fault := _fault(name, given, new, version))
    ]


def _fault(name: str, given: Answers, new: Questions, version: str) -> str:
    """What is wrong with a file that is no longer rendered; empty where a rule covers it."""
    if _moved(new, version, given).get(name) in new.names(given):
        return ""
    if not new.kept_on_update(name, given):
        return (
            f"{name} is no longer rendered, so updates would delete it, edited or not. Renamed: "
            f"write a migration with {MOVE}. Removed: name it in copier.yml's `_exclude` for "
            "updates, where it stays in projects that have it."
        )
    if _owner(name) != "seed" and f"Removed: `{name}`" not in section(new.folder, version):
        return (
            f"{name} is no longer rendered and stays in projects that have it. Tell their teams: "
            f"a line in CHANGELOG.md, {version}, with Removed: `{name}`."
        )
    return ""


def _moved(new: Questions, version: str, given: Answers) -> dict[str, str]:
    """Old and new names of what migrations move."""
    answers = new.answers(given)
    moves: dict[str, str] = {}
    for script, *arguments in new.migrations(version):
        if script == MOVE:
            names = [new.render(argument, answers) for argument in arguments]
            moves.update(zip(names[::2], names[1::2], strict=True))
    return moves


def _owner(name: str) -> str:
    owned = ownership()
    return str(owned.owner_of(name, owned.rules()))
