"""Guesses the template's answers from the metadata of a repository."""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hooks.adopt.repository import git
from hooks.projects import HookError

# The names that cookiecutter templates use for our questions, the best first.
COOKIECUTTER = {
    "project_name": ("project_name", "project_slug", "repo_name", "package_name"),
    "description": ("description", "project_description", "project_short_description"),
    "user_email": ("user_email", "author_email", "email"),
    "team": ("team", "team_name"),
}
AZURE_DEVOPS = ("dev.azure.com", "visualstudio.com")


class Guess(NamedTuple):
    """An answer, and where it was found."""

    value: str
    source: str


def guess_answers(root: Path, files: Iterable[str]) -> dict[str, Guess]:
    """An answer for each question about which the repository with these `files` says something.

    The first source that has a value decides: the answers to cookiecutter or cruft,
    `pyproject.toml`, the remote, the folder's name. The project's name follows the package in
    `src/` if there is one, because the template names the package after the project.

    Raises:
        HookError: One of the sources cannot be read.
    """
    names: list[Guess] = []
    found: dict[str, Guess] = {}
    for key, guess in candidates(root):
        value = " ".join(guess.value.split())
        if key == "description":
            value = value.rstrip(".")
        if not value:
            continue
        if key == "project_name":
            names.append(Guess(value, guess.source))
        else:
            found.setdefault(key, Guess(value, guess.source))
    return {"project_name": name_for(packages(files), names)} | found


def candidates(root: Path) -> Iterator[tuple[str, Guess]]:
    """All answers from all sources, the best source first."""
    project = pyproject(root)
    for source, context in cookiecutter_contexts(root, project):
        for key, aliases in COOKIECUTTER.items():
            for alias in aliases:
                if isinstance(context.get(alias), str):
                    yield key, Guess(context[alias], source)
    for table in (project.get("project"), section(project, "tool", "poetry")):
        if isinstance(table, dict):
            yield from from_metadata(table)
    remote = git(root, "config", "--get", "remote.origin.url", expect=(0, 1)).strip()
    if remote:
        yield from from_remote(remote)
    yield "project_name", Guess(root.resolve().name, "the folder's name")


def from_metadata(table: dict[str, Any]) -> Iterator[tuple[str, Guess]]:
    """Answers from `[project]`, or from Poetry's table, whose authors are plain text."""
    for key, field in (("project_name", "name"), ("description", "description")):
        if isinstance(table.get(field), str):
            yield key, Guess(table[field], "pyproject.toml")
    authors = table.get("authors")
    for author in authors if isinstance(authors, list) else []:
        address = author.get("email") if isinstance(author, dict) else parseaddr(str(author))[1]
        if isinstance(address, str):
            yield "user_email", Guess(address, "pyproject.toml")


def from_remote(url: str) -> Iterator[tuple[str, Guess]]:
    """The CI platform from the remote's host, and the repository's name."""
    match = re.match(r"(?:[a-z+]+://)?(?:[^@/]*@)?([^:/]+)", url)
    host = match.group(1).lower() if match else ""
    if "github" in host.split("."):  # also GitHub Enterprise, github.contoso.com
        yield "ci", Guess("github", "the remote")
    elif any(host == known or host.endswith(f".{known}") for known in AZURE_DEVOPS):
        yield "ci", Guess("azure-devops", "the remote")
    yield (
        "project_name",
        Guess(re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git"), "the remote"),
    )


def cookiecutter_contexts(
    root: Path, project: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers to cookiecutter: from cruft, from the repository, from the user's replay."""
    cruft = section(read_json(root / ".cruft.json"), "context", "cookiecutter")
    yield ".cruft.json", cruft
    stored = read_json(root / ".cookiecutter.json")
    yield ".cookiecutter.json", section(stored, "cookiecutter") or stored
    yield "pyproject.toml [tool.cookiecutter]", section(project, "tool", "cookiecutter")
    folder = root.resolve()
    for file in sorted(replay_folder().glob("*.json")):
        context = section(read_json(file), "cookiecutter")
        # A replay holds the last project that a template rendered. It may be another project.
        rendered_into = context.get("_output_dir")
        if (
            isinstance(rendered_into, str)
            and Path(rendered_into).resolve() == folder.parent
            and folder.name in context.values()
        ):
            yield f"cookiecutter's replay {file.name}", context


def replay_folder() -> Path:
    """Where cookiecutter stores the answers to its last runs, according to its documentation."""
    settings = Path(os.environ.get("COOKIECUTTER_CONFIG") or Path.home() / ".cookiecutterrc")
    folder = "~/.cookiecutter_replay"
    if settings.is_file():
        try:
            read = yaml.safe_load(settings.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            raise HookError(f"{settings} cannot be read: {error}. Fix or move it.") from error
        folder = str(read.get("replay_dir", folder)) if isinstance(read, dict) else folder
    return Path(os.path.expandvars(folder)).expanduser()


def packages(files: Iterable[str]) -> set[str]:
    """The packages below `src/`; none if `src` is a package itself."""
    found = {
        match.group(1) for file in files if (match := re.match(r"src/([^/]+)/__init__\.py$", file))
    }
    return set() if "src/__init__.py" in set(files) else found


def name_for(existing: set[str], names: list[Guess]) -> Guess:
    """The first name whose package exists; else the only package; else the first name."""
    for name in names:
        if package_of(name.value) in existing:
            return name
    if len(existing) == 1:
        (package,) = existing
        return Guess(package, f"src/{package}")
    return names[0]


def package_of(name: str) -> str:
    """The package that the template derives from a project's name."""
    return re.sub(r"[ -]", "_", name.lower())


def pyproject(root: Path) -> dict[str, Any]:
    """The repository's `pyproject.toml`; empty if there is none."""
    path = root / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise HookError(f"{path} is not valid TOML: {error}. Fix it and commit.") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object; empty if there is none."""
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise HookError(f"{path} is not valid JSON: {error}. Fix or remove it.") from error
    if not isinstance(read, dict):
        raise HookError(f"{path} must hold a JSON object, not a {type(read).__name__}.")
    return read


def section(table: Any, *keys: str) -> dict[str, Any]:
    """A table within a table; empty if it is missing or has another type."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}
