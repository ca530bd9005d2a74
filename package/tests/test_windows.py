"""What Windows does in another way, imitated here: none of this has run on Windows."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlops_platform.azure import smoke_test
from mlops_platform.core import files, programs, terminal
from mlops_platform.core.errors import CodeError, UsageError
from mlops_platform.core.files import atomic_file, atomic_folder, delete_folder, write_text
from mlops_platform.core.locks import exclusive
from mlops_platform.pipelines import outputs, runner
from mlops_platform.template.rendering import is_url
from mlops_platform.tracking.store import path_of

from tests.render.test_windows import faults, names

UNPRINTABLE = "caf\u00e9 \u2713 \u6771"
WINDOWS = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def held(monkeypatch):
    """Files and folders that a program has open: for a number of attempts nothing can move them."""
    monkeypatch.setattr(files, "PAUSE", 0)
    attempts: dict[str, int] = {}

    def hold(method):
        real = getattr(Path, method)

        def refuse(path: Path, *arguments, **options):
            for each in (path, *arguments):
                if attempts.get(Path(each).name, 0) > 0:
                    attempts[Path(each).name] -= 1
                    raise PermissionError(13, "Access is denied", str(path))
            return real(path, *arguments, **options)

        monkeypatch.setattr(Path, method, refuse)

    for method in ("rename", "replace", "unlink"):
        hold(method)
    return attempts


@pytest.mark.parametrize("attempts", [1, files.ATTEMPTS])
def test_what_is_open_for_an_instant_is_replaced(tmp_path, held, attempts):
    write_text(tmp_path / "a.txt", "old")
    held["a.txt"] = attempts
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert listing(tmp_path) == ["a.txt"]


def test_a_file_that_stays_open_keeps_its_content_and_is_named(tmp_path, held):
    write_text(tmp_path / "a.txt", "old")
    held["a.txt"] = 1000
    with (
        pytest.raises(PermissionError, match=r"a\.txt: cannot be written.*Close the program"),
        atomic_file(tmp_path / "a.txt") as scratch,
    ):
        scratch.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert listing(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("second", [False, True])
def test_a_folder_that_cannot_be_replaced_is_as_before(tmp_path, held, second):
    """Either it cannot move away, or after that the new one cannot take its place."""
    with atomic_folder(tmp_path / "out") as scratch:
        (scratch / "old.txt").touch()
    with (
        pytest.raises(PermissionError, match="Close the program"),
        atomic_folder(tmp_path / "out") as scratch,
    ):
        (scratch / "new.txt").touch()
        held[scratch.name if second else "out"] = files.ATTEMPTS + 1
    assert listing(tmp_path) == ["out", "out/old.txt"]


def test_a_lock_is_free_again_although_somebody_reads_who_holds_it(tmp_path, held):
    with pytest.raises(PermissionError), exclusive(tmp_path, "the test"):
        held["running.json"] = 1000
    held.clear()
    with exclusive(tmp_path, "the test"):
        held["running.json"] = 3
    assert listing(tmp_path) == [".lock"]


def test_a_run_ends_although_an_old_one_is_open(tmp_path, held):
    for number in range(outputs.KEPT + 2):
        held["run-1"] = 1000 if number == outputs.KEPT else 0
        with outputs.new_run(tmp_path / "train") as run:
            (run.folder / "step").mkdir()
            assert run.end({"step"}, passed=True).is_dir()
        assert (tmp_path / "train" / "run-1").is_dir() is (number <= outputs.KEPT)


def test_read_only_files_are_deleted(tmp_path, monkeypatch):
    """Git's objects are; Windows deletes none that is."""
    file = tmp_path / "clone" / "objects" / "pack"
    file.parent.mkdir(parents=True)
    file.touch()
    file.chmod(stat.S_IREAD)
    real = os.unlink

    def unlink(path, *, dir_fd=None):
        if not os.stat(path, dir_fd=dir_fd).st_mode & stat.S_IWRITE:
            raise PermissionError(13, "Access is denied")
        real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(PermissionError):
        unlink(file)
    delete_folder(tmp_path / "clone")
    delete_folder(tmp_path / "never there")
    assert listing(tmp_path) == []


BATCH = r"C:\tools\az.cmd"


@pytest.mark.parametrize("text", ['a"b', "50%", "a & b", "a|b", "a<b", "a^b", "a)", "a\nb"])
def test_a_batch_file_gets_no_text_that_cmd_reads_as_its_own(text):
    with pytest.raises(UsageError, match="which is a batch file"):
        programs.command_line(BATCH, ["--set", f"tags.why={text}"])
    assert programs.command_line("/usr/bin/az", [text]) == ["/usr/bin/az", text]
    assert programs.command_line(BATCH, ["a b=c"]) == [BATCH, "a b=c"]


def test_the_python_of_azures_batch_file_gets_any_text(tmp_path):
    (tmp_path / "wbin").mkdir()
    (tmp_path / "python.exe").touch()
    path = str(tmp_path / "wbin" / "az.CMD")
    command = programs.command_line(path, ["a & b"])
    assert command == [str(tmp_path / "python.exe"), "-IBm", "azure.cli", "a & b"]
    with pytest.raises(UsageError):
        programs.command_line(str(tmp_path / "wbin" / "other.cmd"), ["a & b"])


def test_a_check_of_an_endpoint_keeps_the_backslashes_of_its_paths(monkeypatch):
    command, given = r"python C:\checks\one.py", []

    def run(arguments, **_):
        given.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, "", "")

    with monkeypatch.context() as patched:
        patched.setattr(smoke_test.subprocess, "run", run)
        patched.setattr(smoke_test.os, "name", "nt")
        smoke_test._run_check(command)
    assert given == [command]


def test_what_a_step_says_is_read_as_it_was_written(tmp_path, monkeypatch):
    """In a pipe, Python writes in the code page of Windows if nobody says otherwise."""
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    step = SimpleNamespace(name="fit", source=Path("fit.yml"), code=tmp_path, environment={})
    command = ["python", "-c", f"raise SystemExit({UNPRINTABLE!r})"]
    with pytest.raises(CodeError, match=UNPRINTABLE):
        runner._run_in_subprocess(command, step, is_platform=False)


@pytest.mark.parametrize("place", [r"C:\store", "C:/store", r"\\host\share\store", r"..\store"])
def test_a_drive_is_no_scheme(place):
    assert not is_url(place)
    assert is_url("git@host:team/store")
    assert path_of(f"sqlite:///{place}") == Path(place)


def test_letters_that_a_code_page_lacks_are_escaped(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "cp1252", write_through=True))
    with pytest.raises(UnicodeEncodeError):
        terminal.out.print(UNPRINTABLE)
    terminal.escape_what_cannot_be_printed()
    terminal.out.print(UNPRINTABLE)
    assert raw.getvalue().splitlines()[-1] == b"caf\xe9 \\u2713 \\u6771"


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["settings"], 0), (["retrain", "--why", ""], 2)]
)
def test_commands_print_in_a_code_page(workspace, words, code):
    project = workspace.conf / "project.yml"
    text = project.read_text("utf-8")
    project.write_text(text.replace("loans default", UNPRINTABLE), "utf-8")
    command = [sys.executable, "-m", "mlops_platform", *words]
    done = subprocess.run(
        command, cwd=workspace.root, env=WINDOWS, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert b"UnicodeEncodeError" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr


def test_what_a_pipeline_writes_has_names_that_windows_can_hold(trained):
    found = names(trained.root)
    assert any(name.startswith(".mlops/artifacts") for name in found)
    assert any(name.startswith("outputs/train/run-1/") for name in found)
    assert faults(found) == []
