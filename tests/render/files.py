"""The files of a rendered project, read with less patience than their users' parsers have."""

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import Project

# A value that YAML 1.1 reads as something else than it looks like: 3.10 is 3.1, on is true.
LOSSY_FLOAT = re.compile(r"^[0-9]+\.[0-9]*0$")


class StrictLoader(yaml.SafeLoader):
    """Refuses what SafeLoader takes in silence: a key that stands twice, values that mislead."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a second equal key."""
        keys = Counter(self.construct_object(key, deep=True) for key, _ in node.value)
        twice = [key for key, count in keys.items() if count > 1]
        assert not twice, f"line {node.start_mark.line + 1}: {twice} stands twice"
        return super().construct_mapping(node, deep)


def _bool(loader: StrictLoader, node: yaml.ScalarNode) -> bool:
    assert node.value in {"true", "false"}, (
        f"line {node.start_mark.line + 1}: write {node.value!r} in quotes, or as true or false"
    )
    return loader.construct_yaml_bool(node)


def _float(loader: StrictLoader, node: yaml.ScalarNode) -> float:
    assert not LOSSY_FLOAT.match(node.value) or node.value.endswith(".0"), (
        f"line {node.start_mark.line + 1}: {node.value} is read as {float(node.value)}: quote it"
    )
    return loader.construct_yaml_float(node)


StrictLoader.add_constructor("tag:yaml.org,2002:bool", _bool)
StrictLoader.add_constructor("tag:yaml.org,2002:float", _float)


def texts(project: Project) -> Iterator[tuple[str, str]]:
    """Name and text of each rendered file but the wheel; bytes are decoded, line ends stay."""
    for file in sorted(project.path.rglob("*")):
        if file.suffix == ".whl" or {".git", ".venv", ".ruff_cache"} & set(file.parts):
            continue
        if file.is_file():
            name = file.relative_to(project.path).as_posix()
            yield name, file.read_bytes().decode("utf-8")


def parse(name: str, text: str) -> None:
    """Parse a file by its suffix."""
    suffix = Path(name).suffix
    if suffix in {".yml", ".yaml"}:
        yaml.load(text, Loader=StrictLoader)  # noqa: S506
    elif suffix == ".toml":
        tomllib.loads(text)
    elif suffix in {".json", ".ipynb"}:
        json.loads(text)
    elif suffix == ".py":
        ast.parse(text)
