"""Shows which projects are behind, what they share, and creates an update branch in each.

    uv run python -m hooks fleet status PROJECT... [--list FILE] [--json] [--html FILE]
    uv run python -m hooks fleet overview PROJECT... [--list FILE] [--json] [--html FILE]
        [--status FILE]
    uv run python -m hooks fleet update PROJECT... [--list FILE] [--json] [--version TAG]
        [--push] [--pull-request]
    uv run python -m hooks fleet matrix PROJECT... [--list FILE] --format github|azure

A project is a local clone or a git URL. docs/fleet.md says more. Exit codes: 0 everything is done,
1 some projects need a person, 2 wrong use.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlops_platform.template.rendering import is_url
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from hooks.fleet import worker
from hooks.fleet.overview.row import Project
from hooks.fleet.page import page, summary
from hooks.fleet.pool import WorkerKilledError, run_in_processes
from hooks.fleet.rows import Row, as_json, details, outcome_table, printable, state_table
from hooks.projects import HookError, git, set_unattended, without_secrets

ROOT = Path(__file__).resolve().parents[2]
MATRIX_JOBS = 256  # GitHub's limit for one matrix
USE_URL = "Give the project's URL instead of the folder, or run there:"
err = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the four commands; returns the exit code."""
    options = parser().parse_args(arguments)
    set_unattended()
    try:
        places = projects(options.projects, options.list)
        if options.command == "matrix":
            print(json.dumps(matrix(places, options.format)))
            return 0
        if options.command == "overview":
            return overview(places, options)
        work = worker.status if options.command == "status" else worker.update
        rows = run(work, places, options)
        report(rows, options)
    except HookError as error:
        print(f"hooks fleet: {printable(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. Run it again: finished projects are kept.", file=sys.stderr)
        return 130
    return int(any(row.needs_attention() for row in rows))


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        "python -m hooks fleet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    projects = argparse.ArgumentParser(add_help=False)
    projects.add_argument(
        "projects", nargs="*", metavar="PROJECT", help="a local clone or a git URL"
    )
    projects.add_argument(
        "--list", type=Path, metavar="FILE", help="one project a line, # comments"
    )
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
    status = commands.add_parser("status", parents=[projects, work], help="the state of each")
    status.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    every = commands.add_parser(
        "overview", parents=[projects, work], help="what their last commits say, on one page"
    )
    every.set_defaults(jobs=4 * (os.cpu_count() or 1))  # they wait for git
    every.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    every.add_argument(
        "--status", type=Path, metavar="FILE", help="drift, as `fleet status --json` printed it"
    )
    update = commands.add_parser(
        "update", parents=[projects, work], help="a branch with the update in each"
    )
    update.add_argument("--version", metavar="TAG", help="a release (the newest)")
    update.add_argument("--push", action="store_true", help="push the branches to origin")
    update.add_argument(
        "--pull-request",
        action="store_true",
        help="push, and open a pull request for each, with gh or az",
    )
    engines = commands.add_parser("matrix", parents=[projects], help="jobs for a CI service")
    engines.add_argument("--format", choices=("github", "azure"), required=True)
    return top


def _jobs(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def projects(given: Sequence[str], listed: Path | None) -> list[str]:
    """The projects without duplicates: URLs unchanged, folders as absolute paths.

    Raises:
        HookError: no project is given, or the list cannot be read.
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
        raise HookError("no project given. Give folders or URLs, or a list with --list FILE.")
    return list(dict.fromkeys(places))


def _place(text: str, home: Path) -> str:
    return text if is_url(text) else str((home / Path(text).expanduser()).resolve())


def run(
    work: Callable[[worker.Task], Row],
    places: Sequence[str],
    options: argparse.Namespace,
) -> list[Row]:
    """Run the work in processes and show the progress; returns rows in the order of `places`."""
    version, ask = getattr(options, "version", None), getattr(options, "pull_request", False)
    push = ask or getattr(options, "push", False)
    clones = options.clones.resolve()
    clones.mkdir(parents=True, exist_ok=True)
    tasks = [worker.Task(place, version, push, clones, ask) for place in places]
    rows: dict[str, Row] = {}
    # Copier's scratch folders are in there too; child processes of a killed worker may still write.
    with tempfile.TemporaryDirectory(prefix="fleet-", ignore_cleanup_errors=True) as scratch:
        results = run_in_processes(
            work, tasks, jobs=options.jobs, start=worker.start, scratch=Path(scratch)
        )
        with progress(len(tasks)) as show:
            for task, result in results:
                row = worker.killed(task) if isinstance(result, WorkerKilledError) else result
                rows[task.place] = row
                show(row)
    return [rows[place] for place in places]


def overview(places: Sequence[str], options: argparse.Namespace) -> int:
    """Read the last commit of each project; returns the exit code."""
    from hooks.fleet.overview import run as overviews  # noqa: PLC0415  it loads all settings

    now, clones = datetime.now(UTC), options.clones.resolve()
    clones.mkdir(parents=True, exist_ok=True)
    with progress(len(places)) as show:
        projects = overviews.read_all(places, clones, options.jobs, show, now)
    projects = overviews.with_status(projects, options.status)
    overviews.report(
        projects,
        html=options.html,
        status=options.status is not None,
        as_json=options.json,
        now=now,
    )
    return int(any(project.needs_attention() for project in projects))


@contextmanager
def progress(total: int) -> Iterator[Callable[[Row | Project], None]]:
    """Yield a function that shows each finished row: a bar on a terminal, a line in a log."""
    if not err.is_terminal:
        yield lambda row: print(
            printable(f"{row.state}: {row.place} ({row.seconds:.1f} s)"),
            file=sys.stderr,
            flush=True,
        )
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("projects", total=total)
        yield lambda row: bar.advance(task)


def report(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print the rows in the wanted format.

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


def matrix(places: Sequence[str], engine: str) -> dict[str, object]:
    """Jobs for GitHub Actions (`include`) or Azure Pipelines (by name), each with some URLs.

    There are at most 256 jobs. A local clone is replaced by the URL of its `origin`.

    Raises:
        HookError: a local clone has no origin that another machine can read.
    """
    urls = [_origin(place) for place in places]
    size = math.ceil(len(urls) / MATRIX_JOBS)
    batches = [" ".join(urls[first : first + size]) for first in range(0, len(urls), size)]
    if engine == "azure":
        return {f"batch_{number}": {"projects": each} for number, each in enumerate(batches, 1)}
    return {
        "include": [{"batch": number, "projects": each} for number, each in enumerate(batches, 1)]
    }


def _origin(place: str) -> str:
    name = without_secrets(place)
    url = place if is_url(place) else _url_of_origin(Path(place))
    if not url:
        raise HookError(f"{name}: has no remote `origin`. {USE_URL} `git remote add origin URL`.")
    if not is_url(url) or any(sign.isspace() for sign in url):
        raise HookError(
            f"{name}: its origin {without_secrets(url)!r} is not a URL that another "
            f"machine can read. {USE_URL} `git remote set-url origin URL`."
        )
    return without_secrets(url)


def _url_of_origin(folder: Path) -> str:
    """The URL of a clone's origin; empty if it has none."""
    try:
        if "origin" not in git(folder, "remote").split():
            return ""
        return git(folder, "remote", "get-url", "origin").strip()
    except HookError as error:
        raise HookError(f"{error}. Give a git clone, or the project's URL.") from None
