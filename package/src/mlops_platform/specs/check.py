"""All faults of all files, the lint's first, then azure-ai-ml's own."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.specs import agreement, rules, sdk
from mlops_platform.specs.nodes import Fault
from mlops_platform.specs.project import Files, Spec

FOLDERS = ("pipelines", "azureml")


def find(paths: list[Path], root: Path) -> list[Path]:
    """YAML files at `paths`, or below pipelines/ and azureml/ where none is given.

    Raises:
        UsageError: there is no such path, or no YAML file at all.
    """
    wanted = paths or [Path(name) for name in FOLDERS if (root / name).is_dir()]
    found: list[Path] = []
    for path in wanted:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder.")
        files = [path] if path.is_file() else sorted((*path.rglob("*.yml"), *path.rglob("*.yaml")))
        found += [file for file in files if file not in found]
    if not found:
        shown = ", ".join(map(str, wanted)) or ", ".join(FOLDERS)
        raise UsageError(f"{shown}: there is no YAML file. Name the files to look at.")
    return found


def lint(files: list[Path], root: Path) -> tuple[list[Spec], list[Fault]]:
    """The specs among the files, and all that is wrong with them, by file and line."""
    project = Files(files)
    specs: list[Spec] = []
    faults: list[Fault] = []
    for path in files:
        spec, found = project.read(path)
        faults += found
        if spec is None:
            continue
        specs.append(spec)
        faults += spec.kind.table.faults(spec.tree)
        for rule in rules.ALL:
            faults += rule(spec)
    faults += agreement.faults(root, specs)
    return specs, sorted(set(faults))


def run(paths: list[Path], root: Path) -> tuple[int, list[Fault]]:
    """How many specs there are, and all that is wrong: the lint's word, then Microsoft's.

    Raises:
        UsageError: nothing to look at, or a package is missing that the project wants.
    """
    sdk.must_be_there(root)
    specs, faults = lint(find(paths, root), root)
    if sdk.is_there():
        told = {(fault.file, fault.field) for fault in faults}
        faults += [fault for fault in sdk.faults(specs) if not _told(fault, told)]
    return len(specs), sorted(set(faults))


def _told(fault: Fault, told: set[tuple[Path, str]]) -> bool:
    """Whether the lint found this already, in better words: at this field, around or in it."""
    return any(
        file == fault.file
        and (
            field == fault.field
            or f"{field}.".startswith(f"{fault.field}.")
            or f"{fault.field}.".startswith(f"{field}.")
        )
        for file, field in told
    )
