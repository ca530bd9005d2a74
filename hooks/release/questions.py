"""The questions, computed values and file names of a release, without rendering it."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import pathspec
import yaml
from copier._main import Worker  # it knows how Copier configures Jinja

Answers = Mapping[str, Any]
REQUIRED = "project_name"
TEMPLATE_FOLDER = "[[ _copier_conf.src_path ]]/"
SAMPLE = {REQUIRED: "Sample"}


class Questions:
    """copier.yml of the release in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = yaml.safe_load((folder / "copier.yml").read_text(encoding="utf-8"))
        self.environment = _environment(folder)
        self.compiled: dict[str, jinja2.Template] = {}

    @cached_property
    def all(self) -> dict[str, dict[str, Any]]:
        """Every question, including computed ones."""
        return {key: value for key, value in self.settings.items() if not key.startswith("_")}

    @cached_property
    def asked(self) -> dict[str, dict[str, Any]]:
        """The questions that people answer."""
        return {
            name: question
            for name, question in self.all.items()
            if question.get("when", True) is not False and question.get("ask", True) is not False
        }

    def choices(self, name: str) -> list[Any]:
        """The values that a question offers; empty if it takes free text."""
        question = self.all[name]
        if question.get("type") == "bool":
            return [False, True]
        given = question.get("choices", [])
        return list(given.values()) if isinstance(given, dict) else list(given)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Every combination of the choices."""
        chosen = {name: self.choices(name) for name in self.asked if self.choices(name)}
        for values in itertools.product(*chosen.values()):
            yield SAMPLE | dict(zip(chosen, values, strict=True))

    def render(self, text: str, answers: Answers) -> str:
        """Render a text like Copier."""
        if text not in self.compiled:
            self.compiled[text] = self.environment.from_string(text)
        return self.compiled[text].render(**answers)

    def problem(self, name: str, value: Any) -> str:
        """What is wrong with an answer; empty if it is valid."""
        choices = self.choices(name)
        if choices and value not in choices:
            return f"is not one of {', '.join(map(str, choices))}"
        return self.render(str(self.all[name].get("validator", "")), {name: value}).strip()

    def answers(self, given: Answers) -> dict[str, Any]:
        """The given answers, the defaults of the others, and all computed values."""
        known: dict[str, Any] = {}
        for name, question in self.all.items():
            value = given.get(name) if name in self.asked else None
            if value is None:
                value = question.get("default")
                value = self.render(value, known) if isinstance(value, str) else value
            if question.get("type") == "bool" and isinstance(value, str):
                value = yaml.safe_load(value)
            known[name] = value
        return known

    def hidden(self, name: str, answers: Answers) -> bool:
        """Whether a question is not asked after these answers."""
        condition = self.all[name].get("when", True)
        if isinstance(condition, str):
            condition = yaml.safe_load(self.render(condition, answers) or "false")
        return not condition

    @cached_property
    def sources(self) -> list[str]:
        """The files of the template, as paths with their conditions."""
        root = self.folder / self.settings["_subdirectory"]
        paths = (path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file())
        return [path.as_posix() for path in paths if "__pycache__" not in path.parts]

    def names(self, given: Answers) -> set[str]:
        """The files of a project with these answers."""
        answers = self.answers(given) | {"_copier_conf": {"answers_file": ".copier-answers.yml"}}
        suffix = str(self.settings["_templates_suffix"])
        rendered = (
            [self.render(part, answers) for part in source.removesuffix(suffix).split("/")]
            for source in self.sources
        )
        return {"/".join(parts) for parts in rendered if all(parts)}

    def kept_on_update(self, name: str, given: Answers) -> bool:
        """Whether `_exclude` protects a file from updates."""
        answers = self.answers(given) | {"_copier_operation": "update"}
        patterns = [self.render(str(text), answers) for text in self.settings.get("_exclude", [])]
        return pathspec.PathSpec.from_lines("gitignore", patterns).match_file(name)

    def migrations(self, version: str) -> list[list[str]]:
        """The scripts that an update across a version runs, each with its arguments."""
        commands = [
            entry["command"]
            for entry in self.settings.get("_migrations", [])
            if str(entry["version"]) == version
        ]
        return [
            [part.removeprefix(TEMPLATE_FOLDER) for part in command[1:]] for command in commands
        ]


def _environment(folder: Path) -> jinja2.Environment:
    """Copier's Jinja; Copier would clone a folder with a git history, so it gets a copy without."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(folder / "copier.yml", scratch)
        environment: jinja2.Environment = Worker(src_path=scratch).jinja_env
    environment.loader = jinja2.FileSystemLoader(folder)
    return environment
