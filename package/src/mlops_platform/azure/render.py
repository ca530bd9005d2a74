"""Writes the files of azureml/ that repeat values of conf/, because Azure ML cannot read conf/.

One module builds each file: `monitor`, `sweep`, `responsible_ai`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import yaml

from mlops_platform import settings
from mlops_platform.azure import monitor, responsible_ai, sweep
from mlops_platform.azure.job_builder import ProjectSettings
from mlops_platform.core.files import write_text
from mlops_platform.data.contract import load_contract

HEADER = "# Made from conf/ by `uv run poe azure-render`: change conf/, then run it again.\n"
CONF = Path("conf")


def render_all(root: Path) -> dict[Path, str]:
    """Render the text of each file that follows from conf/; paths are relative to the project.

    Empty for a project without Azure ML: conf/ has no environment then, whatever azureml/ holds.
    There is a monitor only for an online endpoint, and a sweep only if conf/train.yml has `search`.

    Raises:
        UsageError: an invalid file in conf/.
    """
    azureml, conf = root / "azureml", root / CONF
    environment_files = [f"{name}.yml" for name in get_args(settings.Environment)]
    if not azureml.is_dir() or not any((conf / file).is_file() for file in environment_files):
        return {}
    project = settings.load_project(conf)
    contract = load_contract(conf / "data.yml", project.task)
    config = ProjectSettings(
        project, settings.load_train(conf), settings.load_gates(conf), contract
    )
    builders: dict[str, Callable[[ProjectSettings], dict[str, Any]]] = {
        "jobs/responsible-ai.yml": responsible_ai.build
    }
    if (azureml / "endpoints" / "online").is_dir():
        builders["schedules/monitor.yml"] = monitor.build
    if config.train.search:
        builders["jobs/sweep.yml"] = sweep.build
    return {
        Path("azureml") / path: HEADER + to_yaml(build(config)) for path, build in builders.items()
    }


def find_differences(root: Path) -> list[tuple[Path, str]]:
    """Find files that differ from conf/: their paths in the project, each with what to do."""
    differences = []
    for path, text in render_all(root).items():
        if not (root / path).is_file():
            differences.append((path, "is missing; `uv run poe azure-render` writes it"))
        elif (
            line := _first_difference((root / path).read_text(encoding="utf-8"), text)
        ) is not None:
            message = f"differs from conf/ at line {line}; run `uv run poe azure-render`"
            differences.append((path, message))
    return differences


def write(root: Path) -> list[Path]:
    """Write the files that differ from conf/; return their paths."""
    texts = render_all(root)
    changed = [path for path, _ in find_differences(root)]
    for path in changed:
        write_text(root / path, texts[path])
    return changed


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated parts in full, without YAML aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def to_yaml(content: dict[str, Any]) -> str:
    """Content as YAML, in the order it is in."""
    dumped = yaml.dump(
        content, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=10_000
    )
    return str(dumped)


def _first_difference(text: str, expected: str) -> int | None:
    """The number of the first line that differs, from 1; None if the texts are equal."""
    if text == expected:
        return None
    lines, expected_lines = text.splitlines(), expected.splitlines()
    for number, pair in enumerate(zip(lines, expected_lines, strict=False), start=1):
        if pair[0] != pair[1]:
            return number
    return min(len(lines), len(expected_lines)) + 1
