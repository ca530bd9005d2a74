"""Follows the move of `src/PACKAGE/mlops` into the package `mlops_platform`: `package.py PACKAGE`.

Copier runs it after the update that crosses 1.0.0, in the project's folder. By then Copier has
removed the folder, and `uv.toml`, whose settings are in pyproject.toml now. Here the team's own
files get the new imports, and edits of the removed files are listed and saved as a patch. A second
run changes nothing.
"""

import ast
import difflib
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import copier
from move import (  # type: ignore[import-not-found]  # the script beside this one
    BY_HAND,
    committed,
    git,
    last_render,
)

PLATFORM = "mlops_platform"
PATCH = "platform-edits.patch"
SETTINGS = "uv.toml"
TEXTS = {".cfg", ".md", ".ps1", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
# Modules of 0.7.0 and their new names; modules that are not listed kept their names.
MOVED = {
    "artifact": "models.artifact",
    "audit": "delivery.audit",
    "audit.shape": "delivery.audit.structure",
    "azure.allowed": "azure.job_policy",
    "azure.place": "azure.target",
    "azure.responsible": "azure.responsible_ai",
    "azure.scaling": "azure.autoscale",
    "azure.shapes": "azure.job_builder",
    "azure.smoke": "azure.smoke_test",
    "azure.turns": "azure.rollout_state",
    "columns": "data.columns",
    "commands": "cli",
    "conformance": "template.conformance",
    "contract": "data.contract",
    "cooldown": "monitoring.cooldown",
    "csv_rows": "data.csv_rows",
    "dataset": "models.dataset",
    "digest": "core.hashes",
    "drift": "monitoring.drift",
    "errors": "core.errors",
    "ethics.case": "ethics.evaluated_run",
    "ethics.finding": "ethics.outcome",
    "ethics.judge": "ethics.checks",
    "ethics.kept_files": "ethics.project_files",
    "ethics.kinds.document": "ethics.kinds.document_check",
    "ethics.kinds.manual": "ethics.kinds.signature_check",
    "ethics.kinds.metric": "ethics.kinds.metric_check",
    "ethics.kinds.recorder": "ethics.kinds.pytest_plugin",
    "ethics.kinds.tests": "ethics.kinds.pytest_check",
    "ethics.page": "ethics.config",
    "ethics.value": "ethics.measurement",
    "ethics_evidence": "evidence.ethics",
    "files": "core.files",
    "footprint": "models.footprint",
    "gates": "evaluation.gates",
    "groups": "evaluation.groups",
    "local": "pipelines.runner",
    "metrics": "evaluation.metrics",
    "ownership": "template.ownership",
    "package": "delivery.wheel",
    "pipeline": "pipelines",
    "placeholders": "core.placeholders",
    "provenance": "tracking.provenance",
    "pull_request": "delivery.pull_request",
    "reference": "monitoring.reference",
    "registry": "tracking.registry",
    "reproduce": "pipelines.reproduce",
    "roles": "tracking.roles",
    "run_page": "delivery.job_page",
    "settings_check": "cli.settings_check",
    "specs.agreement": "specs.consistency",
    "specs.shapes": "specs.validators",
    "specs.tables": "specs.schemas",
    "state": "core.paths",
    "summary": "delivery.summary",
    "team": "models.team",
    "template": "template.rendering",
    "template_request": "template.request",
    "terminal": "core.terminal",
    "tracking": "tracking.experiments",
    "update": "template.update",
    "wording": "core.text",
}
RENAMED = {"GateFailed": "GateError", "Refused": "RequestError"}
# Calls whose last argument is now the team's package, and the number of arguments before it.
TAKE_TEAM = {"artifact.load": 1, "artifact.save": 2, "Scorer": 3}
Edit = tuple[int, int, str]  # first byte, the byte after the last, new text


def new_name(old: str) -> str:
    """The new name of a module, both relative to their package."""
    parts = old.split(".")
    for length in range(len(parts), 0, -1):
        if (prefix := ".".join(parts[:length])) in MOVED:
            return ".".join([MOVED[prefix], *parts[length:]])
    return old


class Rewriter:
    """Gives Python code of the project `package` the new imports.

    `modules` are the dotted names of the modules and folders that `mlops` had.
    """

    def __init__(self, package: str, modules: set[str]) -> None:
        self.package, self.modules = package, modules
        self.team = f'Team("{package}")'
        self.dotted = re.compile(rf"\b{package}\.mlops\b((?:\.[a-z_]+)*)")

    def code(self, text: str, folder: tuple[str, ...] = ()) -> str:
        """The text of a module or a cell; `folder` is its package.

        Code that Python cannot parse only gets new dotted names.
        """
        readable = re.sub(r"(?m)^(\s*)[%!?]", r"\1#", text)  # commands of the notebook, not Python
        try:
            tree = ast.parse(readable)
        except (SyntaxError, ValueError):
            return self.names(text)
        starts = [0]
        for line in text.encode().splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        imports, uses = [], []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                imports += self._import(node, folder)
            elif isinstance(node, ast.Call):
                uses += self._call(node)
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "team":
                uses.append((node.value, self.team, True))
        if not imports:
            return self.names(text)
        takes_module = any("import Team" in new for _, new in imports)
        uses = [use for use in uses if takes_module or not use[2]]
        if uses and not takes_module:
            node, new = imports[0]
            imports[0] = (node, f"{new}\nfrom {PLATFORM}.models.team import Team")
        edits = [_span(node, new, starts) for node, new in imports]
        edits += [_span(node, new, starts) for node, new, _ in uses]
        content = text.encode()
        for begin, end, new in sorted(edits, reverse=True):
            content = content[:begin] + new.encode() + content[end:]
        return self.names(content.decode())

    def names(self, text: str) -> str:
        """Any text with the new dotted names, as in `python -m <package>.mlops train`."""

        def replace(found: re.Match[str]) -> str:
            return f"{PLATFORM}.{new_name(found[1][1:])}" if found[1] else PLATFORM

        return self.dotted.sub(replace, text)

    def _import(
        self, node: ast.ImportFrom, folder: tuple[str, ...]
    ) -> list[tuple[ast.ImportFrom, str]]:
        parents = folder[: len(folder) - node.level + 1] if node.level else ()
        parts = [*parents, *(node.module or "").split(".")]
        if [part for part in parts if part][:2] != [self.package, "mlops"]:
            return []
        old = ".".join([part for part in parts if part][2:])
        names: dict[str, list[str]] = {}
        for alias in node.names:
            where, name = self._moved(old, alias)
            names.setdefault(where, []).append(name)
        lines = [f"from {where} import {', '.join(given)}" for where, given in names.items()]
        return [(node, f"\n{' ' * node.col_offset}".join(lines))]

    def _moved(self, old: str, alias: ast.alias) -> tuple[str, str]:
        """Where a name of the old module `old` is imported from, and how."""
        name, shown = alias.name, alias.asname or alias.name
        full = f"{old}.{name}".strip(".")
        if full == "team":
            return f"{PLATFORM}.models.team", "Team"
        where = f"{PLATFORM}.{new_name(old)}" if old else PLATFORM
        if full in self.modules:
            where, _, name = f"{PLATFORM}.{new_name(full)}".rpartition(".")
        name = RENAMED.get(name, name)
        return where, name if name == shown else f"{name} as {shown}"

    def _call(self, node: ast.Call) -> list[tuple[ast.expr, str, bool]]:
        count = TAKE_TEAM.get(ast.unparse(node.func))
        if count != len(node.args) or any(isinstance(given, ast.Starred) for given in node.args):
            return []
        last = node.args[-1]
        end = ast.Constant(
            value=None,
            lineno=last.end_lineno or 0,
            col_offset=last.end_col_offset or 0,
            end_lineno=last.end_lineno,
            end_col_offset=last.end_col_offset,
        )
        return [(end, f", {self.team}", False)]


def _span(node: ast.stmt | ast.expr, new: str, starts: list[int]) -> Edit:
    begin = starts[node.lineno - 1] + node.col_offset
    return begin, starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0), new


def rewrite_project(rewriter: Rewriter) -> list[str]:
    """Rewrite every tracked file that mentions the old folder; returns the changed names."""
    changed = []
    for name in git("ls-files", "-z").decode().split("\0"):
        path = Path(name)
        if not path.is_file() or not is_rewritten(path):
            continue
        try:
            with path.open(encoding="utf-8", newline="") as file:
                text = file.read()
        except UnicodeDecodeError:
            continue
        new = rewrite_file(path, text, rewriter)
        if new != text:
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(new)
            changed.append(name)
    return changed


def is_rewritten(path: Path) -> bool:
    """Whether this kind of file may have imports or names of the old folder."""
    return path.suffix in TEXTS | {".ipynb"} and path.parts[0] != "vendor"


def rewrite_file(path: Path, text: str, rewriter: Rewriter) -> str:
    """The new text of a file."""
    if path.suffix == ".ipynb":
        return notebook(text, rewriter)
    if path.suffix == ".py":
        parts = path.parent.parts
        return rewriter.code(text, parts[1:] if parts[:1] == ("src",) else ())
    return rewriter.names(text)


def notebook(text: str, rewriter: Rewriter) -> str:
    """A notebook with new imports in its code cells; without such imports it stays unchanged."""
    try:
        content = json.loads(text)
        before = json.dumps(content)
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                source = cell["source"]
                new = rewriter.code(source if isinstance(source, str) else "".join(source))
                cell["source"] = new if isinstance(source, str) else new.splitlines(keepends=True)
    except (ValueError, KeyError, TypeError):
        return text
    if json.dumps(content) == before:
        return text
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def edits_of(folder: str, last: Path) -> dict[str, str]:
    """What the team changed in the removed files: a patch by file, with the new file names."""
    found = {}
    listed = git("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", folder, SETTINGS)
    for name in listed.decode().split("\0"):
        mine, rendered = committed(name) if name else None, last / name
        if mine is None:
            continue
        base = rendered.read_bytes() if rendered.is_file() else b""
        if mine.replace(b"\r\n", b"\n") == base.replace(b"\r\n", b"\n"):
            continue
        inner = name.removeprefix(f"{folder}/")
        stem, dot, ending = inner.rpartition(".")
        moved = new_name(stem.replace("/", ".")).replace(".", "/")
        new = f"src/{PLATFORM}/{moved if stem else ''}{dot}{ending}"
        if name == SETTINGS:
            new = SETTINGS
        before, after = (
            text.decode("utf-8", "replace").splitlines(keepends=True) for text in (base, mine)
        )
        found[name] = "".join(difflib.unified_diff(before, after, f"a/{new}", f"b/{new}"))
    return found


def module_names(paths: Iterable[str], folder: str) -> set[str]:
    """The dotted names of the modules and packages in `folder`, relative to it."""
    modules = {
        ".".join(part.with_suffix("").parts)
        for path in paths
        for part in [Path(path).relative_to(folder)]
        if part.suffix == ".py"
    }
    modules |= {name.removesuffix(".__init__") for name in modules}
    return modules | {parent for name in modules for parent in [name.rpartition(".")[0]] if parent}


def main(arguments: list[str]) -> int:
    """Rewrite imports, save edits, and print what was done."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = f"src/{arguments[0]}/mlops"
    tracked = git("ls-tree", "-r", "--name-only", "HEAD", "--", folder).decode().splitlines()
    modules = module_names(tracked, folder)
    if not modules:
        print(f"{folder} is not in the last commit: nothing to do")
        return 0
    for name in rewrite_project(Rewriter(arguments[0], modules)):
        print(f"{name}: imports {PLATFORM} now")
    with tempfile.TemporaryDirectory() as scratch:
        try:
            edits = edits_of(folder, last_render(Path(scratch) / "last"))
        except (copier.errors.CopierError, ValueError) as error:  # ValueError: no such tag
            print(f"The previous release cannot be rendered: {error}\n{BY_HAND}", file=sys.stderr)
            return 1
    if edits:
        Path(PATCH).write_text("".join(edits.values()), encoding="utf-8", newline="\n")
        for name in edits:
            print(f"{name}: your edit was removed from the project and saved in {PATCH}")
        print(
            f"The code is the package {PLATFORM} now. To go on patching it, run "
            f"`uv run mlops eject`, then apply {PATCH} by hand and delete it."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
