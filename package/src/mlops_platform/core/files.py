"""Atomic writes, moves and deletions; hashes of files and folders; YAML files."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from mlops_platform.core import strict_yaml
from mlops_platform.core.errors import UsageError

# Settings that are not an input of a run: a new waiver, signature, patch of a package,
# sentence of the model card, consumer, price, alert, rule of late labels or decision does not
# require a new run.
NOT_INPUTS = {
    "alerts.yml",
    "consumers.yml",
    "cost.yml",
    "ethics.yml",
    "maturity.yml",
    "model_card.yml",
    "patches.yml",
    "reuse.yml",
    "signatures.yml",
    "stage.yml",
    "team.yml",
    "truth.yml",
}
LITTER = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
IGNORED = LITTER | NOT_INPUTS
ATTEMPTS, PAUSE = 10, 0.05  # seconds; a virus scanner, or a reader, has a file open for an instant


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` if no error occurs."""
    make_folder(path.parent)
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield scratch
        move(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that replaces `path` if no error occurs."""
    make_folder(path.parent)
    if os.path.lexists(path) and not path.is_dir():
        raise _not_a_folder(path)
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    former = scratch.with_name(f"{scratch.name}.former")
    scratch.mkdir()
    try:
        yield scratch
        if path.exists():
            move(path, former)  # a deletion that is interrupted leaves no half folder at `path`
        try:
            move(scratch, path)
        except BaseException:
            if former.exists():
                move(former, path)
            raise
    finally:
        for folder in (scratch, former) if path.exists() else (scratch,):
            with suppress(OSError):  # hidden leftovers; the error of the block counts
                delete_folder(folder)


def move(source: Path, target: Path) -> None:
    """Give a file or folder another name, which replaces a file or an empty folder there.

    Windows neither renames nor replaces what a program has open.

    Raises:
        PermissionError: another program keeps it open, or this one may not write there.
    """
    try:
        patiently(lambda: source.replace(target))
    except PermissionError as error:
        raise PermissionError(
            f"{target}: cannot be written ({error.strerror}). Close the program that has {source} "
            f"or {target.name} open, and check that you may write there, then try again."
        ) from None


def patiently(action: Callable[[], object]) -> None:
    """Do what Windows refuses while another process reads the file; try again for half a second.

    Raises:
        PermissionError: it was refused each time.
    """
    for _ in range(ATTEMPTS):
        try:
            action()
        except PermissionError:
            time.sleep(PAUSE)
        else:
            return
    action()


def delete_folder(path: Path) -> None:
    """Delete a folder if it exists; read-only files too, such as git's, which Windows refuses.

    A step whose run was killed may still write into it, so what it adds meanwhile is deleted, too.
    """

    def make_writable(function: Callable[[str], object], name: str, error: Any) -> None:
        if function not in (os.unlink, os.rmdir):
            raise error if isinstance(error, BaseException) else error[1]
        Path(name).chmod(stat.S_IREAD | stat.S_IWRITE)
        function(name)

    for left in reversed(range(ATTEMPTS)):
        if not path.exists():
            return
        try:
            if sys.version_info >= (3, 12):
                shutil.rmtree(path, onexc=make_writable)
            else:
                shutil.rmtree(path, onerror=make_writable)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or not left:
                raise
            time.sleep(PAUSE)


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises:
        UsageError: a file exists at one of these paths.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(each for each in (path, *path.parents) if os.path.lexists(each))
        raise _not_a_folder(file) from None


def _not_a_folder(file: Path) -> UsageError:
    return UsageError(f"{file}: is a file, but a folder is needed. Move it away, then try again.")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with Unix line endings, the same bytes on every platform."""
    with atomic_file(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


def hash_path(path: Path, ignored: AbstractSet[str] = IGNORED) -> str:
    """SHA-256 of a file's bytes, or of the names and bytes of all files below a folder.

    Files and folders with an `ignored` name do not count.
    """
    digest = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
    for file_path in sorted(path.rglob("*"), key=lambda entry: entry.relative_to(path).as_posix()):
        relative = file_path.relative_to(path)
        if file_path.is_file() and not ignored & set(relative.parts):
            digest.update(relative.as_posix().encode() + b"\0")
            digest.update(hash_path(file_path).encode())
    return digest.hexdigest()


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> UsageError:
    """What to say of a file that is there, and cannot be read as text."""
    if isinstance(error, OSError):
        return UsageError(
            f"{path}: cannot be read ({error.strerror}). It must be a file that you may read."
        )
    return UsageError(f"{path}: cannot be read as UTF-8 text ({error}). Save it as UTF-8.")


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping, strictly (see strict_yaml).

    Raises:
        UsageError: no such file, not YAML, a duplicate key, a key or number that YAML reads as
            something else, or not a mapping.
    """
    try:
        content = strict_yaml.load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{path}: does not exist. {_suggest_folder(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    except RecursionError:
        raise UsageError(f"{path}: not valid YAML: nested too deeply.") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}{strict_yaml.explain(error)}.") from None
    if not isinstance(content, dict):
        actual = "nothing" if content is None else type(content).__name__
        raise UsageError(f"{path}: expected `key: value` lines, found {actual}.")
    return content


def _suggest_folder(path: Path) -> str:
    """The next step: the project's folder, if the command ran in one of its subfolders."""
    if not path.is_absolute():
        for folder in Path.cwd().parents:
            if (folder / path).is_file():
                return f"Run the command in the project's folder: {folder}."
    if not path.parent.is_dir():
        return "Run the command in the project's folder."
    return "Restore it from git."
