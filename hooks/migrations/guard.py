"""Stops an update that would overwrite a file which git does not know: `guard.py DATA`.

Copier runs it before the update that crosses the release, in the project's folder, with the Python
in which Copier runs. Nothing is changed by then. DATA are the answers that the update was given, as
JSON. `template-update` has this check for every update; plain Copier asks a migration only.
"""

import json
import sys
import tempfile
from pathlib import Path

import copier
import yaml

# The release that Copier runs this from has the package beside it, which nobody has installed.
sys.path.append(str(Path(__file__).resolve().parents[2] / "package" / "src"))
from mlops_platform.core import git
from mlops_platform.template.ownership import owner_of, rules

TEMPLATE = Path(__file__).resolve().parents[2]
ANSWERS = Path(".copier-answers.yml")


def obstacles(rendered: Path, project: Path) -> list[str]:
    """Files of the project, unknown to git, that an update would overwrite with others."""
    known, listed = set(git.names(project, "ls-files", "-z")), rules()
    return [
        name
        for path in sorted(rendered.rglob("*"))
        if path.is_file()
        for name in [path.relative_to(rendered).as_posix()]
        if owner_of(name, listed) in {"managed", "shared"}
        if name not in known and (project / name).is_file()
        if (project / name).read_bytes() != path.read_bytes()
    ]


def main(arguments: list[str]) -> int:
    """Render the release beside the project, and compare the names."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    recorded = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
    with tempfile.TemporaryDirectory() as scratch:
        rendered = Path(scratch) / "rendered"
        copier.run_copy(
            str(TEMPLATE),
            rendered,
            data=answers | json.loads(arguments[0]),
            vcs_ref="HEAD",
            defaults=True,
            quiet=True,
            skip_tasks=True,
        )
        found = obstacles(rendered, Path.cwd())
    if found:
        print(
            f"{', '.join(map(git.shown, found))}: the template adds a file there, and git does not "
            "know yours, so it would be lost. Nothing was changed. Move it away or commit it "
            f"(`git add --force {git.shown(found[0])}`), then update.",
            file=sys.stderr,
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
