"""Brings an existing repository under the template: `uv run python -m hooks adopt PATH`.

The command shows what it would do and stops. With `--yes` it works on a new branch and leaves a
git merge open. It overwrites nothing in the repository and runs none of its code. docs/adopt.md
describes all steps. Exit code 0: done as shown, even when you have conflicts to resolve; 2: refused
or failed, the repository is unchanged; 130: interrupted, the repository is unchanged.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_platform.core.git import GitError

from hooks.adopt import answers as answer_sources
from hooks.adopt import merge, plan
from hooks.adopt.repository import clean_branch, git, printable, tracked_files
from hooks.projects import ANSWERS, COPIER, HookError, open_template, set_unattended

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 20  # per heading; --json lists all
ADVICE = {
    "shared": "shared: keep your lines and the template's",
    "managed": "the template's: git checkout --theirs FILE, and keep yours under another name",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the plan, carry it out if asked, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal may not support every character
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = parser().parse_args(arguments)
    set_unattended()
    try:
        return adopt(options)
    except (HookError, GitError) as error:
        print(error, file=sys.stderr)
        return 2
    except (merge.InterruptedMergeError, KeyboardInterrupt):
        print("Interrupted. The repository is unchanged.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m hooks adopt",
        description="Brings an existing repository under the template.",
    )
    parser.add_argument("path", type=Path, help="the top folder of a git repository, all committed")
    parser.add_argument("--yes", action="store_true", help="do it; without, only the plan is shown")
    parser.add_argument(
        "--data", action="append", default=[], metavar="KEY=VALUE", help="an answer"
    )
    parser.add_argument("--branch", default="adopt-copier-mlops", help="default: %(default)s")
    parser.add_argument(
        "--template", help="URL or path; default: the origin of this clone, or the clone itself"
    )
    parser.add_argument("--version", metavar="TAG", help="the release; default: the newest")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def adopt(options: argparse.Namespace) -> int:
    """Plan, print and merge.

    Raises:
        HookError: It cannot be done; nothing was changed.
        GitError: It failed; the repository is unchanged.
    """
    root: Path = options.path.resolve()
    old_branch, new_branch = clean_branch(root), options.branch
    check_not_adopted(root)
    merge.check_branch(root, new_branch)
    with tempfile.TemporaryDirectory(prefix="adopt-") as folder:
        render = Path(folder).resolve() / "render"
        report, comparison = make_plan(root, options, render)
        if not options.json:
            print(plan_text(report), flush=True)
        if options.yes:
            version = f"the template, version {report['version']}"
            message = f"Render {version}"
            commit = merge.commit_render(render, root, comparison.kept, message)
            undo = f"git merge --abort; git switch {old_branch}; git branch -D {new_branch}"
            print(f"To undo it while the merge is open: {undo}\n", file=sys.stderr, flush=True)
            conflicts = merge.merge(
                root, old_branch, new_branch, commit, plan=comparison, message=f"Adopt {version}"
            )
            report |= {"conflicts": conflicts, "undo": undo}
    if options.json:
        print(json.dumps(report, indent=2))
    elif options.yes:
        print(next_steps_text(root, new_branch, conflicts, comparison.both))
    else:
        print("Nothing was changed. To do this, add --yes.")
    return 0


def check_not_adopted(root: Path) -> None:
    """Raise HookError if Copier manages `root` already."""
    if not (root / ANSWERS).exists():
        return
    tasks = root / "poe_tasks.toml"  # a project of this template has this task
    ours = tasks.is_file() and b"[tool.poe.tasks.template-update]" in tasks.read_bytes()
    command = "uv run poe template-update" if ours else f"{COPIER} update"
    raise HookError(
        f"{root} is under Copier already: it has {ANSWERS}. "
        f"To get the template's changes, run there: {command}"
    )


def make_plan(
    root: Path, options: argparse.Namespace, render: Path
) -> tuple[dict[str, Any], plan.Comparison]:
    """What would be done, for people and machines; leaves the rendered template in `render`."""
    files = tracked_files(root)
    guesses = answer_sources.guess_answers(root, files)
    data = {key: (guess.value, guess.source) for key, guess in guesses.items()}
    data |= {key: (value, "--data") for key, value in map(key_and_value, options.data)}
    source = plan.recordable_source(options.template or template_of_this_clone())
    mirrors = render.with_name("mirrors")
    mirrors.mkdir()
    template = open_template(source, mirrors)
    version = template.release(options.version)
    answers = plan.render(source, version, data, render)
    package = str(answers.get("package_name"))
    template_files = plan.stage_files(render, root)
    comparison = plan.compare(root, template_files, files, template.owner_rules(version))
    report = {
        "path": str(root),
        "template": source,
        "version": version,
        "branch": options.branch,
        "answers": {
            key: {"value": value, "source": data[key][1] if key in data else "default"}
            for key, value in answers.items()
            if not key.startswith("_")
        },
        "files": asdict(comparison),
        "notes": [
            *notes(source, package, files),
            *line_ending_notes(plan.files_with_changed_line_endings(root, render, files)),
        ],
        "adopted": options.yes,
    }
    return report, comparison


def key_and_value(text: str) -> tuple[str, str]:
    """The two parts of `KEY=VALUE`."""
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise HookError(f"--data {text}: write it as KEY=VALUE, like project_name=churn.")
    return key, value


def template_of_this_clone() -> str:
    """The origin of this clone, or its own folder if it has none."""
    origin = git(ROOT, "config", "--get", "remote.origin.url", expect=(0, 1)).strip()
    if origin and (ROOT / origin).exists():  # a path on this machine, which may be relative
        return str((ROOT / origin).resolve())
    return origin or str(ROOT)


def notes(source: str, package: str, files: Collection[str]) -> list[str]:
    """What a person should know and no file shows."""
    found = []
    if Path(source).exists():
        found.append(
            f"The template is a folder of this machine ({source}): others cannot update from it."
        )
    for other in sorted(answer_sources.packages(files) - {package}):
        found.append(f"src/{printable(other)} stays; the template's modules go into src/{package}.")
    if any(file.startswith(f"{package}/") for file in files):
        found.append(
            f"{package}/ and src/{package}/ have the same import name: move yours into the latter."
        )
    if ".cruft.json" in files:
        found.append(".cruft.json stays; remove it with your commit, or cruft will update, too.")
    return found


def line_ending_notes(changed: list[str]) -> list[str]:
    """What to do about files whose line endings git would change."""
    if not changed:
        return []
    names = ", ".join(printable(path) for path in changed[:3]) + (", ..." if changed[3:] else "")
    return [
        f"{len(changed)} files of yours have CRLF line endings ({names}). The template's "
        ".gitattributes makes them LF when you next add them. To keep them, commit a "
        ".gitattributes in their folder with a line like `*.csv -text`."
    ]


def plan_text(report: dict[str, Any]) -> str:
    """The plan for a person."""
    answers, files = report["answers"], report["files"]
    width = max(len(key) for key in answers)
    lines = [
        f"{report['path']}: version {report['version']} of {report['template']}",
        f"on the new branch {report['branch']}",
        "",
        "Answers, and where each came from",
        *(f"  {key:{width}}  {each['value']}  ({each['source']})" for key, each in answers.items()),
    ]
    both = [f"{path}  ({owner})" for path, owner in files["both"].items()]
    lines += block("to add", count_by_folder(files["added"]), len(files["added"]))
    lines += block("in both, different: conflicts, which you resolve", both)
    lines += block("in both, with the same content", files["same"])
    lines += block("of yours that stay instead of the template's", files["kept"])
    lines += block("of yours that the template does not know: unchanged", files["untouched"])
    if report["notes"]:
        lines += ["", *(f"Note: {note}" for note in report["notes"])]
    return "\n".join([*lines, ""])


def block(title: str, paths: list[str], count: int | None = None) -> list[str]:
    """A heading with the number of files, and the first lines of the list."""
    if not paths:
        return []
    rest = []
    if len(paths) > MAX_LINES:
        rest = [f"  and {len(paths) - MAX_LINES} more: --json lists all"]
    lines = [f"  {printable(path)}" for path in paths[:MAX_LINES]]
    return ["", f"{count or len(paths)} {title}", *lines, *rest]


def count_by_folder(paths: list[str]) -> list[str]:
    """The top folders with their number of files, and the files in the root."""
    counts = Counter(
        f"{top}/" if inside else top for top, inside, _ in (p.partition("/") for p in paths)
    )
    return [f"{name}  ({count})" if name.endswith("/") else name for name, count in counts.items()]


def next_steps_text(root: Path, branch: str, conflicts: list[str], both: dict[str, str]) -> str:
    """What the user does next."""
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
        "uv run poe check     (fix what it reports: it now checks your code, too)",
        "git add uv.lock; git commit --no-edit",
    ]
    numbered = [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
    head = [
        "=" * 78,
        f"The merge is open on the branch {branch}. Nothing is committed yet. In {root}:",
        "",
    ]
    tail = [
        "",
        "Merge the branch into your main branch. Do not rebase it: that would lose its origin.",
    ]
    return "\n".join([*head, *numbered, *tail, "=" * 78])
