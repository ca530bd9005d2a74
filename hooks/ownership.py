"""Writes what is generated from the list of file owners: `uv run python -m hooks ownership`.

The list is `ownership.toml` in the platform package. It gives the exclusions in `copier.yml`, the
table in the rendered README and GitHub's CODEOWNERS. With `--check` nothing is written, and the
exit code is 1 if one of them is out of date.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent
OWNERSHIP = ROOT / "package" / "src" / "mlops_platform" / "template"
BEGIN, END = "made from ownership.toml", "made until here"
# Files that not every project has, and the answer that brings them.
CONDITIONS = {"azureml/": "azureml", "src/*.py": "azureml", "vendor/": "vendored"}
TITLES = {
    "seed": "Yours from the first day: no update touches it",
    "shared": "Shared: an update merges its news with yours",
    "managed": "The standard's: an update brings its news; do not edit",
    "generated": "Made by commands",
}


def ownership() -> ModuleType:
    """The platform package's module, loaded from this folder and not from the installed package."""
    spec = importlib.util.spec_from_file_location("ownership", OWNERSHIP / "ownership.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(OWNERSHIP / "ownership.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["ownership"] = module
    spec.loader.exec_module(module)
    return module


def exclusions() -> str:
    """What an update does not touch: seeds; those that are `needed` only if they exist."""
    update = "[% if _copier_operation == 'update' %]"
    lines = ["_exclude:"]
    rules = ownership().rules()
    for rule in rules:
        if rule.owner == "seed" and not rule.needed:
            lines.append(f'  - "{update}/{rule.glob}[% endif %]"')
    lines.append("_skip_if_exists:")
    lines += [f'  - "/{rule.glob}"' for rule in rules if rule.needed]
    return "\n".join(lines) + "\n"


def table() -> str:
    """The README's tables, one for each owner."""
    parts = []
    for owner, title in TITLES.items():
        parts.append(f"| {title} | |\n|---|---|\n")
        for rule in ownership().rules():
            if rule.owner == owner and not rule.glob.startswith((".github/", ".azuredevops/")):
                shown = rule.glob.removesuffix("**").replace("src/*/", "src/[[ package_name ]]/")
                parts.append(_with_its_folder(rule.glob, f"| `{shown}` | {rule.what} |\n"))
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def codeowners() -> str:
    """CODEOWNERS: the last matching rule decides, so the order is reversed."""
    reviewer = "[[ team if team.startswith('@') else user_email ]]"
    lines = ["# Managed by the template: `copier update` changes it.", f"* {reviewer}"]
    for owner, title in reversed(TITLES.items()):
        listed = [rule.glob for rule in ownership().rules() if rule.owner == owner]
        globs = [glob for glob in listed if not glob.startswith(".azuredevops")]
        if owner in ("managed", "shared"):
            lines += ["", f"# {title.replace('`', '')}"]
            rows = (_with_its_folder(glob, f"/{glob} {reviewer}\n") for glob in globs)
            lines += [row.rstrip("\n") for row in rows]
    return "\n".join(lines) + "\n"


def _with_its_folder(glob: str, line: str) -> str:
    """The line, only in projects that have such files."""
    for start, answer in CONDITIONS.items():
        if glob.startswith(start):
            return f"[% if {answer} -%]\n{line}[% endif -%]\n"
    return line


def between_marks(text: str, made: str, comment: str, close: str = "") -> str:
    """`text` with the lines between the two marks replaced."""
    begin, end = f"{comment} {BEGIN}{close}\n", f"{comment} {END}{close}\n"
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return f"{head}{begin}{made}{end}{tail}"


def results() -> dict[Path, str]:
    """Each generated file, with the text that it should have."""
    copier, readme = ROOT / "copier.yml", ROOT / "template" / "README.md.jinja"
    owners = ROOT / "template" / "[% if github %].github[% endif %]" / "CODEOWNERS.jinja"
    indented = between_marks(copier.read_text(encoding="utf-8"), exclusions(), "#")
    tables = between_marks(readme.read_text(encoding="utf-8"), f"\n{table()}\n", "<!--", " -->")
    return {copier: indented, readme: tables, owners: codeowners()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(
        "python -m hooks ownership", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 on a difference"
    )
    check = parser.parse_args(arguments).check
    stale = 0
    for path, text in results().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = 1
        if check:
            print(f"{path.relative_to(ROOT)} is out of date: run `python -m hooks ownership`")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(ROOT)}")
    return stale if check else 0
