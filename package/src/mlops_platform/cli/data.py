"""Commands for data: a draft of the settings, and a small part for git."""

# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, app
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import write_text
from mlops_platform.core.names import Task

data = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Draft settings, take a part.")
app.add_typer(data, name="data")


@data.callback()
def _group() -> None:
    """Draft settings from data, and take a part of it."""


@data.command()
def draft(
    path: Annotated[Path, typer.Argument(help="A file or folder: CSV, Parquet or a query.")],
    *,
    targets: Annotated[list[str], typer.Option("--target", help="The column to predict.")],
    task: Annotated[Task | None, typer.Option(help="The project's own unless given.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the files in conf/.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Merge changed data into conf/data.yml alone.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="For a query: the variable with the database's URL.")
    ] = None,
    conf: Conf = CONF,
) -> None:
    """Write conf/data.yml from data, and adapt split, gates and ethics to it.

    Shows the columns, and what to be careful with. Existing files stay without --replace; with it,
    all are written or none. --update shows the new columns and what changes in conf/data.yml, and
    keeps what people wrote in it: comments, roles, kinds, and limits that still hold.
    """
    if update and (task or url):
        raise UsageError(
            "--update: leave out --task and --url; it reads data as conf/data.yml says."
        )
    from mlops_platform import settings
    from mlops_platform.draft import columns, view
    from mlops_platform.draft import draft as drafting
    from mlops_platform.report import profile

    target = columns.only(targets)
    former = settings.load_project(conf).task
    if update:
        made = drafting.update(path, target, former, conf)
    else:
        made = drafting.make(path, target, task or former, conf, url)
    if shown := made.new if update else made.columns:
        terminal.table(f"{path}:", view.HEADINGS, view.rows(shown))
    for line in made.difference:
        terminal.out.print(line, markup=False)
    for line in made.doubts:
        terminal.out.print(f"CAREFUL  {line}", markup=False)
    profiled = conf.parent / "outputs" / profile.FILE
    write_text(profiled, view.page(str(path), made.columns, made.doubts))
    terminal.out.print(f"all columns with their histograms: {profiled}", markup=False)
    if not made.files:
        terminal.out.print(f"{conf} says so already", markup=False)
        return
    names = ", ".join(f"{conf.name}/{name}" for name in made.files)
    existing = [name for name in made.files if (conf / name).exists()]
    if existing and not replace:
        terminal.out.print(
            f"{conf} is as before: --replace changes {names}; git keeps what they say now",
            markup=False,
        )
        return
    _require_valid(conf, made.files)
    from mlops_platform.draft import files

    files.write(conf, made.files)
    terminal.out.print(f"wrote {names}", markup=False)
    if task not in (None, former):
        terminal.out.print(f"model.py must build a model for {task} now", markup=False)
    azure = "uv run poe azure-render, " if (conf.resolve().parent / "azureml").is_dir() else ""
    terminal.out.print(f"Read conf/data.yml, then: {azure}uv run poe pipeline", markup=False)


@data.command()
def sample(
    path: Annotated[Path, typer.Argument(help="A file or folder with all the data.")],
    *,
    rows: Annotated[int, typer.Option(min=10, help="About so many rows.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the file there.")] = False,
    conf: Conf = CONF,
) -> None:
    """Write a small part of the data to data/raw, for CI and git.

    Each class of the target has the same share of rows as in the whole, a number each tenth of its
    values; groups (`role: group`) are whole. The seed is that of conf/train.yml.
    """
    from mlops_platform import settings
    from mlops_platform.cli import data_files
    from mlops_platform.data import sample as sampling
    from mlops_platform.data.contract import load_contract

    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    root = conf.parent
    made = sampling.write(
        path,
        root / "data" / "raw",
        contract,
        rows=rows,
        seed=settings.load_train(conf).seed,
        limit=data_files.hook_limit(root),
        replace=replace,
    )
    size = f"{max(1, made.size // 1024):,} KB"
    terminal.out.print(
        f"wrote {made.path}: {made.rows:,} of {made.of:,} rows, {size}", markup=False
    )
    if made.rows < contract.min_rows:
        terminal.out.print(
            f"CAREFUL  {conf}/data.yml asks for {contract.min_rows} rows: take more, or write "
            f"`min_rows: {made.rows}`",
            markup=False,
        )


def _require_valid(conf: Path, new: dict[str, str]) -> None:
    """Check the settings as they will be, in a copy beside them.

    Raises:
        UsageError: problems that are not there today; nothing is written.
    """
    from mlops_platform.cli import settings_check

    before = settings_check.find_problems(conf)
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=conf.resolve().parent) as scratch:
        copy = Path(scratch)
        shutil.copytree(conf, copy, dirs_exist_ok=True)
        for name, text in new.items():
            (copy / name).write_text(text, encoding="utf-8", newline="\n")
        after = [line.replace(str(copy), str(conf)) for line in settings_check.find_problems(copy)]
    if problems := [line for line in after if line not in before]:
        raise UsageError(
            "\n".join(["nothing is written; the draft would not be valid:", *problems])
        )
