"""Checks all files: first with the platform's linter, then with azure-ai-ml."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.schemas.nodes import Problem
from mlops_platform.specs import consistency, rules, sdk
from mlops_platform.specs.project import Spec, SpecFiles

FOLDERS = ("pipelines", "azureml")


def find(paths: list[Path], root: Path) -> list[Path]:
    """Find the YAML files in `paths`, by default in pipelines/ and azureml/.

    Raises:
        UsageError: there is no such path, or no YAML file.
    """
    searched = paths or [Path(name) for name in FOLDERS if (root / name).is_dir()]
    files: list[Path] = []
    for path in searched:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder.")
        inside = [path] if path.is_file() else sorted((*path.rglob("*.yml"), *path.rglob("*.yaml")))
        files += [file for file in inside if file not in files]
    if not files:
        shown = ", ".join(map(str, searched)) or ", ".join(FOLDERS)
        raise UsageError(f"{shown}: there is no YAML file. Name the files to check.")
    return files


def lint(files: list[Path], root: Path) -> tuple[list[Spec], list[Problem]]:
    """Lint the files: returns the specs among them, and the problems by file and line."""
    project = SpecFiles(files)
    specs: list[Spec] = []
    problems: list[Problem] = []
    for path in files:
        spec, file_problems = project.read(path)
        problems += file_problems
        if spec is None:
            continue
        specs.append(spec)
        problems += spec.kind.schema.validate(spec.tree)
        for rule in rules.ALL:
            problems += rule(spec)
    problems += consistency.check(root, specs)
    return specs, sorted(set(problems))


def run(paths: list[Path], root: Path, *, only_azure: bool = False) -> tuple[int, list[Problem]]:
    """Check the files: returns the number of specs, and the problems of the linter and azure-ai-ml.

    `only_azure` leaves out the house rules, for files that are not the project's.

    Raises:
        UsageError: there is nothing to check, or a package that the project requires is missing.
    """
    sdk.require_installed(root)
    specs, problems = lint(find(paths, root), root)
    if only_azure:
        problems = [problem for problem in problems if not problem.house]
    if sdk.is_installed():
        reported = {(problem.file, problem.field) for problem in problems}
        problems += [
            problem for problem in sdk.validate(specs) if not _is_reported(problem, reported)
        ]
    return len(specs), sorted(set(problems))


def _is_reported(problem: Problem, reported: set[tuple[Path, str]]) -> bool:
    """Whether the linter reported this already: at this field, around it or in it."""
    return any(
        file == problem.file
        and (
            field == problem.field
            or f"{field}.".startswith(f"{problem.field}.")
            or f"{problem.field}.".startswith(f"{field}.")
        )
        for file, field in reported
    )
