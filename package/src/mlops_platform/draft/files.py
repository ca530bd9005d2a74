"""The text of the files in conf/ that a draft changes, and how they are written."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import yaml

from mlops_platform.core.files import atomic_file, read_yaml
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.draft import edits
from mlops_platform.draft.guess import Guess
from mlops_platform.draft.limits import Limits
from mlops_platform.ethics.limits import CLASSIFICATION_ONLY
from mlops_platform.settings import Task

NEED_SENSITIVE = frozenset(
    {
        "error_rate_difference",
        "missing_difference",
        "outcome_difference",
        "prediction_bias",
        "proxy_auc",
        "quality_difference",
        "selection_difference",
        "selection_ratio",
        "smallest_group",
    }
)
NAMES = ("data.yml", "project.yml", "train.yml", "gates.yml", "ethics.yml")
NEED_ID = frozenset({"overlap_ids"})
MAX_KEY = 100
HEAD = """\
# The data contract: data checks, the endpoint's requests, drift and groups come from it.
# docs/contract.md explains each field. Drafted from data: read each line, and correct the guesses.
"""


def texts(
    conf: Path,
    guesses: list[Guess],
    source: Source,
    *,
    limits: Limits,
    task: Task,
    notes: list[str],
) -> dict[str, str]:
    """The new text of each file of conf/ that changes, by its name.

    Raises:
        UsageError: a file lacks a field that is to be changed.
    """
    old = {name: _read(conf / name) for name in NAMES}
    new = {
        "data.yml": contract(guesses, source, notes),
        "project.yml": edits.replace(old["project.yml"], ["task"], task, f"{conf}/project.yml"),
        "train.yml": edits.replace(
            old["train.yml"], ["split", "by"], split_by(guesses), f"{conf}/train.yml"
        ),
        "gates.yml": _gates(old["gates.yml"], limits, f"{conf}/gates.yml"),
        "ethics.yml": _ethics(old["ethics.yml"], guesses, limits, task),
    }
    return {name: text for name, text in new.items() if text != old[name]}


def _read(path: Path) -> str:
    """A file's text; empty for a contract that is not there yet."""
    if path.name == "data.yml" and not path.exists():
        return ""
    read_yaml(path)  # says what is wrong with it
    return path.read_text(encoding="utf-8-sig")


def write(conf: Path, new: dict[str, str]) -> None:
    """Write all files or none."""
    former = {name: (conf / name).read_bytes() for name in new if (conf / name).is_file()}
    try:
        with ExitStack() as stack:
            for name, text in new.items():
                scratch = stack.enter_context(atomic_file(conf / name))
                scratch.write_text(text, encoding="utf-8", newline="\n")
    except BaseException:
        for name, content in former.items():
            (conf / name).write_bytes(content)
        raise


def contract(guesses: list[Guess], source: Source, notes: list[str]) -> str:
    """conf/data.yml."""
    rows = len(guesses[0].typed)
    lines = [HEAD + f"min_rows: {max(10, rows // 2)}"]
    if source != PLAIN:
        lines += [f"# {note}" for note in notes]
        fields = source.model_dump(exclude_defaults=True).items()  # JSON is YAML with all quotes
        written = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields)
        lines.append(f"source: {{{', '.join(written)}}}")
    if any(guess.role == "target" and guess.gaps for guess in guesses):
        lines.append("rows_without_target: drop")
    lines.append("columns:")
    for guess in guesses:
        lines.append(f"  {key(guess.name)}: {line(guess)}")
    return "\n".join(lines) + "\n"


def split_by(guesses: list[Guess]) -> str:
    """The split that keeps the future, a group or a row out of the training."""
    roles = {guess.role for guess in guesses}
    return next((role for role in ("time", "group", "id") if role in roles), "random")


def line(guess: Guess) -> str:
    """A column's fields on one line, with a comment where it is a guess."""
    return edits.flow(guess.fields()) + (f"  # {guess.reason}" if guess.doubtful else "")


def key(name: str) -> str:
    """A column's name as a key; YAML writes a long one, or one with line breaks, another way."""
    if len(name) > MAX_KEY or not name.isprintable():
        return json.dumps(name)
    return edits.flow(name)


def _gates(text: str, limits: Limits, file: str) -> str:
    quality = "".join(
        f"\n  - {{metric: {metric}, {bound}: {limit}}}  "
        f"# a constant has {limits.constant[metric]:.4g}"
        for metric, bound, limit in limits.quality
    )
    for path, value in (
        (["metric"], limits.metric),
        (["margin"], f"{limits.margin}"),
        (["quality"], quality),
        (["guardrails", "worst_group_drop"], f"{limits.worst_group_drop}"),
    ):
        text = edits.replace(text, path, value, file)
    return text


def _ethics(text: str, guesses: list[Guess], limits: Limits, task: Task) -> str:
    """Limits in the target's unit, and no question that this data cannot answer."""
    for measure, limit in limits.of_ethics.items():
        text = edits.set_measure(text, measure, limit)
    roles = {guess.role for guess in guesses}
    waived = {waiver["check"] for waiver in yaml.safe_load(text).get("waivers") or []}
    if "sensitive" not in roles and not waived:
        note = "No sensitive column in conf/data.yml, so these checks are left out; git has them"
        text = edits.without_measures(text, NEED_SENSITIVE, note)
    if [guess.role for guess in guesses].count("sensitive") == 1 and not waived:
        note = "One sensitive column in conf/data.yml, so pairs are left out; git has this check"
        text = edits.without_measures(text, NEED_SENSITIVE, note, over="intersections")
    if "id" not in roles and not waived:
        note = "No id in conf/data.yml, so this check is left out; git has it"
        text = edits.without_measures(text, NEED_ID, note)
    if task == "regression":
        text = edits.without_measures(text, frozenset(CLASSIFICATION_ONLY), "For classes only")
    return text
