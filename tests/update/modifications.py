"""Changes that teams make to a project between two updates."""

import json
from collections.abc import Callable

from tests.projects import Project

Modification = Callable[[Project], None]
PICTURE = bytes(range(256)) * 4  # binary in every encoding


def package(project: Project) -> str:
    """The folder of the package."""
    return (
        next(path.parent for path in project.path.glob("src/*/features.py"))
        .relative_to(project.path)
        .as_posix()
    )


def append(project: Project, name: str, text: str) -> None:
    """Add to the end of a file."""
    project.write(name, project.read(name) + text)


def replace(project: Project, name: str, old: str, new: str) -> None:
    """Change one place in a file."""
    text = project.read(name)
    assert text.count(old) == 1, f"{name}: {old!r} is there {text.count(old)} times"
    project.write(name, text.replace(old, new))


def move(project: Project, old: str, new: str) -> None:
    """Rename a file."""
    target = project.path / new
    target.parent.mkdir(parents=True, exist_ok=True)
    (project.path / old).rename(target)


# ------------------------------------------------------------------ seeds


def edits_seeds(project: Project) -> None:
    append(project, "conf/train.yml", "# ours\n")
    append(project, f"{package(project)}/features.py", "\n# ours\n")
    project.write(f"{package(project)}/data.py", '"""Ours alone."""\n')


def deletes_seeds(project: Project) -> None:
    (project.path / "notebooks" / "README.md").unlink()
    (project.path / "tests" / "test_data.py").unlink()
    (project.path / package(project) / "sample.py").unlink()


def renames_and_moves_seeds(project: Project) -> None:
    move(project, "data/README.md", "data/card.md")
    move(project, "tests/test_lifecycle.py", "tests/slow/test_lifecycle.py")


def replaces_data_and_notebooks(project: Project) -> None:
    for raw in (project.path / "data" / "raw").iterdir():
        raw.unlink()
    (project.path / "data" / "raw" / "loans.parquet").write_bytes(PICTURE)
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    project.write("notebooks/explore.ipynb", json.dumps(notebook) + "\n")
    (project.path / "docs" / "logo.png").write_bytes(PICTURE)


# ------------------------------------------------------------------ shared files


def adds_to_the_readme(project: Project) -> None:
    append(project, "README.md", "\n## Our on-call\n\nAsk in the channel.\n")


def ignores_more(project: Project) -> None:
    append(project, ".gitignore", "*.parquet.tmp\n")


def adds_a_dependency(project: Project) -> None:
    """As `uv add --group team` writes it."""
    replace(project, "pyproject.toml", "team = []\n", 'team = [\n    "joblib>=1.5.2",\n]\n')


def adds_tools_and_tasks(project: Project) -> None:
    append(
        project,
        "pyproject.toml",
        '\n[tool.coverage.run]\nbranch = true\n\n[tool.poe.tasks.ours]\ncmd = "mlops --help"\n',
    )


def adds_a_hook(project: Project) -> None:
    append(
        project,
        ".pre-commit-config.yaml",
        "  - repo: local\n    hooks:\n      - id: ours\n        name: Ours\n"
        "        language: fail\n        entry: Ours\n        files: \\.ours$\n",
    )


# ------------------------------------------------------------------ files of the team


def adds_workflows(project: Project) -> None:
    project.write(".github/workflows/ours.yml", "name: ours\n")
    project.write(".github/dependabot.yml", "version: 2\n")
    project.write(".azuredevops/ours.yml", "trigger: none\n")


def adds_pipelines_and_docs(project: Project) -> None:
    project.write("pipelines/ours.yml", "type: pipeline\n")
    project.write("pipelines/components/ours.yml", "type: command\n")
    project.write("docs/ours.md", "# Ours\n")
    project.write(f"{package(project)}/plots.py", '"""Ours."""\n')


def locks(project: Project) -> None:
    """A lock as `uv lock --upgrade` rewrites it, far away from anything that is rendered."""
    project.write("uv.lock", "".join(f'[[package]]\nname = "p{i}"\n' for i in range(400)))


# ------------------------------------------------------------------ managed files


def edits_managed_files(project: Project) -> None:
    append(project, "poe_tasks.toml", '\n[tool.poe.tasks.ours-too]\ncmd = "mlops --help"\n')
    append(project, "docs/contract.md", "\nOurs.\n")
    if project.has(f"{package(project)}/mlops"):  # before 1.0.0
        append(project, f"{package(project)}/mlops/errors.py", "\n# ours\n")


def deletes_a_managed_file(project: Project) -> None:
    (project.path / "docs" / "packages.md").unlink()


def moves_a_managed_file(project: Project) -> None:
    move(project, "docs/gates.md", "docs/limits.md")


def adds_a_file_in_a_managed_folder(project: Project) -> None:
    project.write("vendor/README.txt", "Ours.\n")
    if project.has(f"{package(project)}/mlops"):  # before 1.0.0
        project.write(f"{package(project)}/mlops/ours.py", '"""Ours."""\n')


# ------------------------------------------------------------------ tools that rewrite


def has_windows_line_endings(project: Project) -> None:
    """A checkout on Windows with an editor that writes CRLF line endings."""
    for path in project.path.rglob("*"):
        if path.is_file() and ".git" not in path.relative_to(project.path).parts:
            content = path.read_bytes()
            if b"\0" not in content:
                path.write_bytes(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def runs_pre_commit(project: Project) -> None:
    """The fixes of pre-commit in the team's own code."""
    project.write(f"{package(project)}/ugly.py", '"""Ours."""\nimport os, sys\nx = [1,\n2]\n')
    for command in (["check", "--fix"], ["format"]):
        project.run("ruff", *command, "--quiet", "--no-cache", ".")
    assert project.read(f"{package(project)}/ugly.py") == '"""Ours."""\n\nx = [1, 2]\n'


def runs_another_formatter(project: Project) -> None:
    """A hook of the team that rewrites whole managed files."""
    project.write("pipelines/monitor.yml", project.read("pipelines/monitor.yml").replace(" ", "  "))
    name = f"{package(project)}/mlops/terminal.py"
    if project.has(name):  # before 1.0.0
        project.write(name, project.read(name).replace('"', "'"))


MODIFICATIONS: tuple[Modification, ...] = (
    edits_seeds,
    deletes_seeds,
    renames_and_moves_seeds,
    replaces_data_and_notebooks,
    adds_to_the_readme,
    ignores_more,
    adds_a_dependency,
    adds_tools_and_tasks,
    adds_a_hook,
    adds_workflows,
    adds_pipelines_and_docs,
    locks,
    edits_managed_files,
    deletes_a_managed_file,
    moves_a_managed_file,
    adds_a_file_in_a_managed_folder,
    runs_pre_commit,
    runs_another_formatter,
    has_windows_line_endings,  # last, after all others
)


def modify(project: Project, *chosen: Modification) -> None:
    """Make the chosen changes, in the order of MODIFICATIONS."""
    for modification in MODIFICATIONS:
        if modification in chosen:
            modification(project)
