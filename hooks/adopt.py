"""Brings an existing repository under the template: `uv run python hooks/adopt.py PATH`.

It shows what it would do and stops; with `--yes` it does it on a branch and leaves a git merge
open. Nothing of the repository is overwritten, and none of its code is run. docs/adopt.md tells
the whole way. Exit code 0: done as shown, also where conflicts wait for you; 2: refused or failed,
and the repository is as it was; 130: interrupted, the same.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hooks import adopt_answers, adopt_merge, adopt_plan  # noqa: E402  found through the line above
from hooks.projects import ANSWERS, COPIER, HookError, template, unattended  # noqa: E402
from hooks.repository import GitError, clean_branch, git, shown, tracked  # noqa: E402

LISTED = 20  # lines a heading; --json has all
ADVICE = {
    "shared": "shared: keep your lines and the template's",
    "managed": "the standard's: git checkout --theirs FILE, and keep yours under another name",
}


def main(arguments: list[str] | None = None) -> int:
    """Show the plan, carry it out where that was asked, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal may not know every sign of a name
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    unattended()
    asked = options(arguments)
    try:
        return adopt(asked)
    except (HookError, GitError) as error:
        print(error, file=sys.stderr)
        return 2
    except (adopt_merge.Interrupted, KeyboardInterrupt):
        print("Interrupted. The repository is as it was.", file=sys.stderr)
        return 130


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(
        prog="adopt.py", description="Brings an existing repository under the template."
    )
    parser.add_argument("path", type=Path, help="the top folder of a git repository, all committed")
    parser.add_argument("--yes", action="store_true", help="do it; without, only the plan is shown")
    parser.add_argument(
        "--data", action="append", default=[], metavar="KEY=VALUE", help="an answer"
    )
    parser.add_argument("--branch", default="adopt-copier-mlops", help="default: %(default)s")
    parser.add_argument(
        "--template", help="URL or path; default: the origin of this clone, or itself"
    )
    parser.add_argument("--version", metavar="TAG", help="the release; default: the newest")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def adopt(asked: argparse.Namespace) -> int:
    """Plan, print and merge.

    Raises:
        HookError: It cannot be done; nothing was changed.
        GitError: It failed; the repository is as it was.
    """
    root: Path = asked.path.resolve()
    old, new = clean_branch(root), asked.branch
    not_adopted(root)
    adopt_merge.check_branch(root, new)
    with tempfile.TemporaryDirectory(prefix="adopt-") as folder:
        render = Path(folder).resolve() / "render"
        plan, comparison = planned(root, asked, render)
        if not asked.json:
            print(plan_text(plan), flush=True)
        if asked.yes:
            version = f"the template, version {plan['version']}"
            commit = adopt_merge.commit_render(render, root, comparison.kept, f"Render {version}")
            way_back = f"git merge --abort && git switch {old} && git branch -D {new}"
            print(f"To undo it while the merge is open: {way_back}\n", file=sys.stderr, flush=True)
            conflicts = adopt_merge.merge(
                root, old, new, commit, plan=comparison, message=f"Adopt {version}"
            )
            plan |= {"conflicts": conflicts, "way_back": way_back}
    if asked.json:
        print(json.dumps(plan, indent=2))
    elif asked.yes:
        print(next_text(root, new, conflicts, comparison.both))
    else:
        print("Nothing was changed. To do this, add --yes.")
    return 0


def not_adopted(root: Path) -> None:
    """Raise HookError where `root` is under Copier."""
    if not (root / ANSWERS).exists():
        return
    tasks = root / "poe_tasks.toml"  # of this template, since it has that command
    ours = tasks.is_file() and b"[tool.poe.tasks.template-update]" in tasks.read_bytes()
    command = "uv run poe template-update" if ours else f"{COPIER} update"
    raise HookError(
        f"{root} is under Copier already: it has {ANSWERS}. "
        f"To get the template's news, run there: {command}"
    )


def planned(
    root: Path, asked: argparse.Namespace, render: Path
) -> tuple[dict[str, Any], adopt_plan.Comparison]:
    """What would be done, for people and machines; leaves the template rendered in `render`."""
    files = tracked(root)
    guessed = adopt_answers.guesses(root, files)
    data = {key: (guess.value, guess.source) for key, guess in guessed.items()}
    data |= {key: (value, "--data") for key, value in map(key_and_value, asked.data)}
    source = adopt_plan.source_of(asked.template or this_template())
    mirrors = render.with_name("mirrors")
    mirrors.mkdir()
    version = template(source, mirrors).release(asked.version)
    answers = adopt_plan.render(source, version, data, render)
    package = str(answers.get("package_name"))
    ours = adopt_plan.index(render, root)
    listed = render / "src" / package / "mlops" / "ownership.toml"
    comparison = adopt_plan.compare(root, ours, files, listed)
    plan = {
        "path": str(root),
        "template": source,
        "version": version,
        "branch": asked.branch,
        "answers": {
            key: {"value": value, "source": data[key][1] if key in data else "default"}
            for key, value in answers.items()
            if not key.startswith("_")
        },
        "files": asdict(comparison),
        "notes": [
            *notes(source, package, files),
            *line_ends(adopt_plan.rewritten(root, render, files)),
        ],
        "adopted": asked.yes,
    }
    return plan, comparison


def key_and_value(text: str) -> tuple[str, str]:
    """The two sides of `KEY=VALUE`."""
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise HookError(f"--data {text}: write it as KEY=VALUE, like project_name=churn.")
    return key, value


def this_template() -> str:
    """Where this clone came from, or else its own folder."""
    origin = git(ROOT, "config", "--get", "remote.origin.url", expect=(0, 1)).strip()
    if origin and (ROOT / origin).exists():  # a path of this machine, which may be relative
        return str((ROOT / origin).resolve())
    return origin or str(ROOT)


def notes(source: str, package: str, files: Collection[str]) -> list[str]:
    """What a person should know and no file shows."""
    said = []
    if Path(source).exists():
        said.append(
            f"The template is a folder of this machine ({source}): others cannot update from it."
        )
    for other in sorted(adopt_answers.packages(files) - {package}):
        said.append(f"src/{shown(other)} stays; the standard's code goes into src/{package}.")
    if any(file.startswith(f"{package}/") for file in files):
        said.append(
            f"{package}/ and src/{package}/ have one name for Python: move yours into the latter."
        )
    if ".cruft.json" in files:
        said.append(".cruft.json stays; remove it with your commit, or cruft will update, too.")
    return said


def line_ends(rewritten: list[str]) -> list[str]:
    """What to do about files whose line ends git would change."""
    if not rewritten:
        return []
    named = ", ".join(shown(path) for path in rewritten[:3]) + (", ..." if rewritten[3:] else "")
    return [
        f"{len(rewritten)} files of yours have CRLF line ends ({named}), which the template's "
        ".gitattributes makes LF when you next add them. To keep them, commit a .gitattributes "
        "in their folder with a line like `*.csv -text`."
    ]


def plan_text(plan: dict[str, Any]) -> str:
    """The plan for a person."""
    answers, files = plan["answers"], plan["files"]
    width = max(len(key) for key in answers)
    lines = [
        f"{plan['path']}: version {plan['version']} of {plan['template']}",
        f"on the new branch {plan['branch']}",
        "",
        "Answers, and where each came from",
        *(f"  {key:{width}}  {said['value']}  ({said['source']})" for key, said in answers.items()),
    ]
    both = [f"{path}  ({whose})" for path, whose in files["both"].items()]
    lines += block("to add", by_folder(files["added"]), len(files["added"]))
    lines += block("that both have: conflicts, which you resolve", both)
    lines += block("that both have, with the same bytes", files["same"])
    lines += block("of yours that stay in place of the template's", files["kept"])
    lines += block("of yours that the template does not know: untouched", files["untouched"])
    lines += ["", *(f"Note: {note}" for note in plan["notes"])] if plan["notes"] else []
    return "\n".join([*lines, ""])


def block(title: str, paths: list[str], count: int | None = None) -> list[str]:
    """A heading with the number of files, and the first lines about them."""
    if not paths:
        return []
    rest = [f"  and {len(paths) - LISTED} more: --json lists all"] if len(paths) > LISTED else []
    lines = [f"  {shown(path)}" for path in paths[:LISTED]]
    return ["", f"{count or len(paths)} {title}", *lines, *rest]


def by_folder(paths: list[str]) -> list[str]:
    """Folders with the number of their files, and the files at the root."""
    counted = Counter(
        f"{top}/" if inside else top for top, inside, _ in (p.partition("/") for p in paths)
    )
    return [f"{name}  ({count})" if name.endswith("/") else name for name, count in counted.items()]


def next_text(root: Path, branch: str, conflicts: list[str], both: dict[str, str]) -> str:
    """How to go on."""
    steps = []
    if conflicts:
        listed = "".join(
            f"\n     {path}  ({ADVICE.get(both[path], both[path])})" for path in conflicts
        )
        steps.append(
            f"Resolve {len(conflicts)} conflicts, each followed by `git add FILE`:{listed}"
        )
    steps += [
        "uv sync",
        "uv run poe check     (repair what it names: it now looks at your code, too)",
        "git add uv.lock && git commit --no-edit",
    ]
    numbered = [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
    head = [
        "=" * 78,
        f"The merge is open on the branch {branch}. Nothing is committed yet. In {root}:",
        "",
    ]
    tail = [
        "",
        "Bring the branch to your main one by a merge; a rebase would lose where it came from.",
    ]
    return "\n".join([*head, *numbered, *tail, "=" * 78])


if __name__ == "__main__":
    sys.exit(main())
