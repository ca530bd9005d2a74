"""Writes the files of azureml/ that repeat what conf/ says, because Azure ML cannot read conf/.

One module makes the content of each: `monitor`, `sweep`, `responsible`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import yaml

from mlops_platform import settings
from mlops_platform.azure import monitor, responsible, sweep
from mlops_platform.azure.shapes import ProjectSettings
from mlops_platform.core.files import write_text
from mlops_platform.data.contract import load_contract

HEAD = "# Made from conf/ by `uv run poe azure-render`: change conf/, then run it again.\n"
CONF = Path("conf")


def expected(root: Path) -> dict[Path, str]:
    """Each file that follows from conf/, relative to the project, with the text it must have.

    Empty for a project without Azure ML: conf/ names no environment there, whatever the team kept
    in azureml/. There is a monitor only where there is an online endpoint, and a sweep only where
    conf/train.yml says what to `search`.

    Raises:
        UsageError: a wrong file in conf/.
    """
    azureml, conf = root / "azureml", root / CONF
    clouds = [f"{name}.yml" for name in get_args(settings.Environment)]
    if not azureml.is_dir() or not any((conf / cloud).is_file() for cloud in clouds):
        return {}
    project = settings.load_project(conf)
    contract = load_contract(conf / "data.yml", project.task)
    said = ProjectSettings(project, settings.load_train(conf), settings.load_gates(conf), contract)
    made: dict[str, Callable[[ProjectSettings], dict[str, Any]]] = {
        "jobs/responsible-ai.yml": responsible.content
    }
    if (azureml / "endpoints" / "online").is_dir():
        made["schedules/monitor.yml"] = monitor.content
    if said.train.search:
        made["jobs/sweep.yml"] = sweep.content
    return {Path("azureml") / path: _text(content(said)) for path, content in made.items()}


def disagreements(root: Path) -> list[tuple[Path, str]]:
    """Files that do not say what conf/ says, relative to the project, each with what to do."""
    found = []
    for path, text in expected(root).items():
        if not (root / path).is_file():
            found.append((path, "is missing; `uv run poe azure-render` writes it"))
        elif (fault := _difference((root / path).read_text(encoding="utf-8"), text)) is not None:
            message = f"differs from conf/ at line {fault}; run `uv run poe azure-render`"
            found.append((path, message))
    return found


def write(root: Path) -> list[Path]:
    """Bring the files into agreement with conf/; return those that were written."""
    texts = expected(root)
    wrong = [path for path, _ in disagreements(root)]
    for path in wrong:
        write_text(root / path, texts[path])
    return wrong


class _Plain(yaml.SafeDumper):
    """Writes a part that stands twice twice, and long lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(content: dict[str, Any]) -> str:
    dumped = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=10_000)
    return HEAD + str(dumped)


def _difference(text: str, wanted: str) -> int | None:
    """The first line that differs, counted from 1."""
    if text == wanted:
        return None
    lines, wanted_lines = text.splitlines(), wanted.splitlines()
    for number, pair in enumerate(zip(lines, wanted_lines, strict=False), start=1):
        if pair[0] != pair[1]:
            return number
    return min(len(lines), len(wanted_lines)) + 1
