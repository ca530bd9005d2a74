"""The release check of copier.yml: no stored answer of a project may be lost.

When a release no longer asks a question, or no longer offers or accepts an answer, Copier drops
the answer without a message and uses the default.
"""

import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hooks.release.questions import REQUIRED, Questions

RELEASE = "platform_version"  # the value of the release itself
ACCEPTED = Path("tests") / "update" / "accepted_answers.toml"


def answer_problems(old: Questions, new: Questions, version: str) -> list[str]:
    """All problems, each with what to do; a question that a migration handles is left out."""
    handled = {argument for command in new.migrations(version) for argument in command}
    found = [
        *_questions_without_default(new),
        *_removed(old, new),
        *_refused_answers(new),
        *_removed_from_table(old, new),
        *_changed_formulas(old, new),
    ]
    return [problem for name, problem in found if name not in handled]


def _questions_without_default(new: Questions) -> Iterator[tuple[str, str]]:
    for name, question in new.asked.items():
        if name != REQUIRED and "default" not in question:
            yield name, f"copier.yml, `{name}`: has no default; unattended updates stop. Give one."


def _removed(old: Questions, new: Questions) -> Iterator[tuple[str, str]]:
    """Questions and choices that no longer exist."""
    migrate = "Restore it, or write a migration that names the question."
    for name, question in old.asked.items():
        where = f"copier.yml, `{name}`:"
        if name not in new.asked:
            yield name, f"{where} is no longer asked, so stored answers are lost. {migrate}"
            continue
        if question.get("type") != new.all[name].get("type"):
            yield name, f"{where} has another type, so stored answers may not fit. {migrate}"
        lost = [str(value) for value in old.choices(name) if value not in new.choices(name)]
        if lost and new.choices(name):
            yield name, f"{where} no longer offers {', '.join(lost)}. {migrate}"
        for given in new.combinations():
            answers = new.answers(given)
            if new.hidden(name, answers) and not old.hidden(name, old.answers(given)):
                yield name, f"{where} is hidden for some, and their answers are lost. {migrate}"
                break


def _table(questions: Questions) -> dict[str, list[Any]]:
    path = questions.folder / ACCEPTED
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _refused_answers(new: Questions) -> Iterator[tuple[str, str]]:
    """Answers that an earlier release accepted."""
    table = _table(new)
    for name in new.asked:
        if not new.choices(name) and name not in table:
            yield name, f"{ACCEPTED}: has no answers to `{name}`. Add some at its limits."
    for name, values in table.items():
        for value in values if name in new.asked else ():
            problem = new.problem(name, value)
            if problem:
                yield (
                    name,
                    f"copier.yml, `{name}`: its validator refuses {value!r}, which was accepted "
                    f"before ({problem}). Loosen it, or write a migration that names the question.",
                )


def _removed_from_table(old: Questions, new: Questions) -> Iterator[tuple[str, str]]:
    table = _table(new)
    for name, values in _table(old).items():
        missing = [value for value in values if value not in table.get(name, [])]
        if missing:
            yield (
                name,
                f"{ACCEPTED}, `{name}`: {missing} is missing. Never remove answers from the table.",
            )


def _changed_formulas(old: Questions, new: Questions) -> Iterator[tuple[str, str]]:
    """Computed values (`when: false`) that changed: they may rename files in an update."""
    computed = [
        name
        for name, question in old.all.items()
        if question.get("when", True) is False and name in new.all and name != RELEASE
    ]
    names = _table(new).get(REQUIRED, [])
    for name in computed:
        for given in itertools.chain(new.combinations(), ({REQUIRED: value} for value in names)):
            before, after = old.answers(given).get(name), new.answers(given).get(name)
            if before != after:
                yield (
                    name,
                    f"copier.yml, `{name}`: is {after!r}, and was {before!r} for {given}. "
                    "Restore the formula, or write a migration that names it.",
                )
                break
