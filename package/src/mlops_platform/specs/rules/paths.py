"""Files and folders that a spec names must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.specs.project import Spec, is_local

FILES = {"component", "trial", "job", "create_job"}
# Paths relative to `code`, or to the folder of the file.
SCRIPTS = {"scoring_script", "entry_script"}
# A `path` that is no input: an output of a job, a folder for an image, an HTTP route.
NO_DATA = re.compile(r"(^|\.)(outputs\.|build\.path$|\w+_route\.path$)")


def check(spec: Spec) -> Iterator[Problem]:
    """Find missing files of every kind."""
    if spec.kind.name in ("autoscale", "conda") or not spec.kind.family:
        return
    for node in spec.tree.walk():
        if not isinstance(node.value, dict):
            continue
        for name, below in node.value.items():
            if isinstance(below.value, str):
                yield from _field(spec, node, name, below)
        if "build" in node.value and node.fields("build"):
            yield from _dockerfile(spec, node.value["build"])
        includes = node.get("additional_includes")
        if includes is not None and isinstance(includes.value, list):
            for item in includes.value:
                yield from _there(spec.path.parent, item, "file or folder")
    yield from _conda(spec)


def _field(spec: Spec, parent: Node, name: str, node: Node) -> Iterator[Problem]:
    here, text = spec.path.parent, node.value
    if name in FILES and is_local(text):
        if name in ("job", "create_job") and not spec.is_a("schedule"):
            return
        yield from _there(here, node, "file", wants_file=True)
        if name in ("component", "trial"):
            yield from _is(spec, node, "component")
    elif name == "environment":
        if text.startswith("file:"):
            yield from _there(here, node, "file", wants_file=True)
            yield from _is(spec, node, "environment")
        elif is_local(text):
            yield node.problem(
                f"{text!r} is not an environment; write file:PATH, or azureml:NAME:VERSION"
            )
    elif name == "code" and is_local(text):
        yield from _there(here, node, "folder")
    elif name in SCRIPTS and is_local(text):
        code = parent.text("code")
        if not code or (is_local(code) and (here / code).exists()):
            yield from _there(here / code, node, "file", wants_file=True)
    elif name == "conda_file" and is_local(text):
        yield from _there(here, node, "file", wants_file=True)
    elif name == "path" and is_local(text) and not NO_DATA.search(node.field):
        yield from _there(here, node, "file or folder")


def _there(base: Path, node: Node, what: str, *, wants_file: bool = False) -> Iterator[Problem]:
    text = str(node.value).removeprefix("file:")
    path = base / text
    if not path.exists():
        yield node.problem(f"there is no {what} {text} in {_shown(base)}; name one that exists")
    elif wants_file and not path.is_file():
        yield node.problem(f"{text} is a folder; name a file in it")


def _is(spec: Spec, node: Node, family: str) -> Iterator[Problem]:
    named = spec.files.resolve(spec, node.value)
    # Files of kinds that only azure-ai-ml checks may be one: AutoML, prompt flow.
    if named is not None and named.kind.family and not named.kind.family.endswith(family):
        yield node.problem(f"{named.path.name} is not a {family} file; name one that is")


def _dockerfile(spec: Spec, build: Node) -> Iterator[Problem]:
    context = build.get("path")
    if context is None or not isinstance(context.value, str) or not is_local(context.value):
        return
    folder = spec.path.parent / context.value
    if not folder.is_dir():
        yield context.problem(
            f"there is no folder {context.value} in {_shown(spec.path.parent)}; name the one of "
            "the Dockerfile"
        )
        return
    named = build.get("dockerfile_path")
    name = build.text("dockerfile_path") or "Dockerfile"
    if not (folder / name).is_file():
        yield (named or build).problem(
            f"there is no {name} in {_shown(folder)}; name the Dockerfile there"
        )


def _conda(spec: Spec) -> Iterator[Problem]:
    """Find `-r FILE` in a conda file: the file is not sent, so the image cannot be built."""
    for node in spec.tree.walk():
        if node.field.rpartition(".")[2] != "conda_file":
            continue
        packages = node
        if isinstance(node.value, str):
            named = spec.files.resolve(spec, node.value)
            if named is None:
                continue
            packages = named.tree
        for item in packages.walk():
            if isinstance(item.value, str) and re.match(r"(-r|--requirement|-e|-c) ", item.value):
                yield item.problem(
                    f"{item.value!r} names a file that is not sent; list the packages, or build "
                    "from a Dockerfile"
                )


def _shown(folder: Path) -> str:
    whole, here = folder.resolve(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else str(whole)
