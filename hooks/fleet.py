"""Looks after many projects: which are behind, and an update branch in each.

    uv run python hooks/fleet.py status PROJECT... [--list FILE] [--json] [--html FILE]
    uv run python hooks/fleet.py update PROJECT... [--list FILE] [--json] [--version TAG] [--push]
    uv run python hooks/fleet.py matrix PROJECT... [--list FILE] --format github|azure

A project is a local clone or a git URL. docs/fleet.md says more. Exit codes: 0 all is done,
1 some projects need a hand, 2 wrong use.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn  # noqa: E402

from hooks import fleet_worker  # noqa: E402
from hooks.fleet_page import page, summary  # noqa: E402
from hooks.fleet_pool import Killed, spread  # noqa: E402
from hooks.fleet_state import Row, as_json, details, outcome_table, plain, state_table  # noqa: E402
from hooks.projects import HookError, git, is_url, unattended, without_secrets  # noqa: E402

MATRIX_JOBS = 256  # what GitHub allows in one matrix
INSTEAD = "Give the project's URL instead of the folder, or run there:"
err = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the three commands; returns the exit code."""
    options = parser().parse_args(arguments)
    unattended()
    try:
        places = projects(options.projects, options.list)
        if options.command == "matrix":
            print(json.dumps(matrix(places, options.format)))
            return 0
        work = fleet_worker.look if options.command == "status" else fleet_worker.update
        rows = run(work, places, options)
        report(rows, options)
    except HookError as error:
        print(f"fleet.py: {plain(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. Call it again: what is done stays done.", file=sys.stderr)
        return 130
    return int(any(row.needs_a_hand() for row in rows))


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        "fleet.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)
    given = argparse.ArgumentParser(add_help=False)
    given.add_argument("projects", nargs="*", metavar="PROJECT", help="a local clone or a git URL")
    given.add_argument("--list", type=Path, metavar="FILE", help="one project a line, # comments")
    work = argparse.ArgumentParser(add_help=False)
    work.add_argument("--jobs", type=_jobs, default=os.cpu_count() or 1, help="processes at once")
    work.add_argument("--json", action="store_true", help="rows for machines, on standard output")
    work.add_argument(
        "--clones",
        type=Path,
        default=ROOT / ".cache" / "fleet",
        metavar="FOLDER",
        help="where projects behind a URL are cloned (.cache/fleet)",
    )
    status = commands.add_parser("status", parents=[given, work], help="what is where")
    status.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    update = commands.add_parser("update", parents=[given, work], help="a branch in each project")
    update.add_argument("--version", metavar="TAG", help="a release (the newest)")
    update.add_argument("--push", action="store_true", help="push the branches to origin")
    engines = commands.add_parser("matrix", parents=[given], help="jobs for the firm's engine")
    engines.add_argument("--format", choices=("github", "azure"), required=True)
    return top


def _jobs(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def projects(given: Sequence[str], listed: Path | None) -> list[str]:
    """The projects, each once: URLs as they are, folders as absolute paths.

    Raises:
        HookError: none is given, or the list cannot be read.
    """
    places = [_place(text, Path.cwd()) for text in given]
    if listed is not None:
        try:
            lines = listed.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise HookError(f"{listed}: the list cannot be read ({error}).") from None
        texts = (line.split(" #")[0].strip() for line in lines)
        home = listed.resolve().parent
        places += [_place(text, home) for text in texts if text and not text.startswith("#")]
    if not places:
        raise HookError("no project given. Name folders or URLs, or a list with --list FILE.")
    return list(dict.fromkeys(places))


def _place(text: str, home: Path) -> str:
    return text if is_url(text) else str((home / Path(text).expanduser()).resolve())


def run(
    work: Callable[[fleet_worker.Task], Row],
    places: Sequence[str],
    options: argparse.Namespace,
) -> list[Row]:
    """Spread the work, show how far it is, and give the rows in the order of `places`."""
    version, push = getattr(options, "version", None), getattr(options, "push", False)
    clones = options.clones.resolve()
    clones.mkdir(parents=True, exist_ok=True)
    tasks = [fleet_worker.Task(place, version, push, clones) for place in places]
    rows: dict[str, Row] = {}
    # Copier's own scratch lies in there too; what a killed worker had started may still write.
    with tempfile.TemporaryDirectory(prefix="fleet-", ignore_cleanup_errors=True) as scratch:
        ended = spread(
            work, tasks, jobs=options.jobs, start=fleet_worker.start, scratch=Path(scratch)
        )
        with progress(len(tasks)) as tell:
            for task, result in ended:
                row = fleet_worker.killed(task) if isinstance(result, Killed) else result
                rows[task.place] = row
                tell(row)
    return [rows[place] for place in places]


@contextmanager
def progress(total: int) -> Iterator[Callable[[Row], None]]:
    """Yield a function that takes each row: a moving bar on a terminal, a line a row in a log."""
    if not err.is_terminal:
        yield lambda row: print(
            plain(f"{row.state}: {row.place} ({row.seconds:.1f} s)"), file=sys.stderr, flush=True
        )
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("projects", total=total)
        yield lambda row: bar.advance(task)


def report(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Show the rows as asked.

    Raises:
        HookError: the page cannot be written.
    """
    html = getattr(options, "html", None)
    if html is not None:
        try:
            html.write_text(page(rows), encoding="utf-8", newline="\n")
        except OSError as error:
            raise HookError(f"{html}: the page cannot be written ({error.strerror}).") from None
    if options.json:
        print(as_json(rows))
        return
    out.print(state_table(rows) if options.command == "status" else outcome_table(rows))
    for row in rows:
        for line in details(row):
            out.print(line, markup=False)
    out.print(f"{len(rows)} projects: {summary(rows)}", markup=False)


def matrix(places: Sequence[str], form: str) -> dict[str, object]:
    """Jobs for GitHub Actions (`include`) or Azure Pipelines (by name), each with some URLs.

    There are at most 256 jobs. A local clone stands for the URL of its `origin`.

    Raises:
        HookError: a local clone has no origin that another machine reads.
    """
    urls = [_origin(place) for place in places]
    size = math.ceil(len(urls) / MATRIX_JOBS)
    batches = [" ".join(urls[first : first + size]) for first in range(0, len(urls), size)]
    if form == "azure":
        return {f"batch_{number}": {"projects": each} for number, each in enumerate(batches, 1)}
    return {
        "include": [{"batch": number, "projects": each} for number, each in enumerate(batches, 1)]
    }


def _origin(place: str) -> str:
    named = without_secrets(place)
    url = place if is_url(place) else _url_of_origin(Path(place))
    if not url:
        raise HookError(f"{named}: has no remote `origin`. {INSTEAD} `git remote add origin URL`.")
    if not is_url(url) or any(sign.isspace() for sign in url):
        raise HookError(
            f"{named}: its origin {without_secrets(url)!r} is not a URL that another machine "
            f"reads. {INSTEAD} `git remote set-url origin URL`."
        )
    return without_secrets(url)


def _url_of_origin(folder: Path) -> str:
    """The URL of a clone's origin; empty where it has none."""
    try:
        if "origin" not in git(folder, "remote").split():
            return ""
        return git(folder, "remote", "get-url", "origin").strip()
    except HookError as error:
        raise HookError(f"{error}. Name a git clone, or the project's URL.") from None


if __name__ == "__main__":
    sys.exit(main())
