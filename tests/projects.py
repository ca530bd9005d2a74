"""Projects to run commands in: rendered, synced and committed once for all processes of tests."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock
from mlops_platform.pipelines.outputs import newest

from tests import prepared
from tests.rendering import commit_all, render

SHARED = "COPIER_MLOPS_TESTS"  # names a folder that all processes of a session share


@dataclass(frozen=True)
class Project:
    """A rendered project, and its commands in its own environment."""

    path: Path
    own_environment: bool = False  # in .venv, in place of the one that all projects share

    def has(self, file: str) -> bool:
        """Whether a file or folder is there."""
        return (self.path / file).exists()

    def read(self, file: str) -> str:
        """A file's text."""
        return (self.path / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        """Make or replace a file."""
        target = self.path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def last(self, pipeline: str = "train") -> str:
        """The folder of the last run of a pipeline, relative to the project."""
        found = newest(self.path / "outputs" / pipeline)
        assert found, f"no run of {pipeline}"
        return found.relative_to(self.path).as_posix()

    def yaml(self, file: str) -> Any:
        """What a YAML file holds."""
        return yaml.safe_load(self.read(file))

    def json(self, file: str) -> Any:
        """What a JSON file holds."""
        return json.loads(self.read(file))

    def run(self, *command: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder; its exit code must be `expect`."""
        surroundings = dict(os.environ)
        if self.own_environment:
            surroundings["UV_PROJECT_ENVIRONMENT"] = str(self.path / ".venv")
        elif command[:2] == ("uv", "run"):
            prepared.start(Path(surroundings["UV_PROJECT_ENVIRONMENT"]))
        done = subprocess.run(
            command,
            cwd=self.path,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == expect, (
            f"`{' '.join(command)}` ended with {done.returncode}, not {expect}:\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return done

    def poe(self, task: str, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one of the project's tasks."""
        return self.run("uv", "run", "poe", "--quiet", task, *arguments, expect=expect)

    def models(self) -> list[dict[str, str]]:
        """The registered versions with their tags, oldest first, as the store on disk holds them.

        `mlops models --json` says the same, after two seconds of imports.
        """
        found: dict[int, dict[str, str]] = {}
        with closing(sqlite3.connect(self.path / ".mlops" / "mlflow.db")) as store:
            for number, run in store.execute("SELECT version, run_id FROM model_versions"):
                found[number] = {"version": str(number), "run_id": run}
            for number, key, value in store.execute(
                "SELECT version, key, value FROM model_version_tags"
            ):
                found[number][key] = value
        return [found[number] for number in sorted(found)]


class Kept:
    """Projects that are rendered, synced and committed once for all processes that run tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def project(self, answers: Mapping[str, Any], *, trained: bool = False) -> Iterator[Project]:
        """One of them, while no other process makes or copies it; for reading only."""
        name = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()[:12]
        project = Project(self.folder / name / "project")
        with FileLock(self.folder / f"{name}.lock"):
            if not project.path.exists():
                self._make(project, answers)
            if trained and not project.has("outputs/train"):
                project.poe("pipeline")
            yield project

    def _make(self, project: Project, answers: Mapping[str, Any]) -> None:
        render(answers, project.path)
        lock = self.folder / "uv.lock"
        if lock.exists():  # uv asks the index only for what differs, and comes to the same lock
            shutil.copy(lock, project.path)
        project.run("uv", "sync", "--quiet")
        scratch = shutil.copy(project.path / "uv.lock", project.path.with_name("uv.lock"))
        Path(scratch).replace(lock)
        commit_all(project.path, "Start")
