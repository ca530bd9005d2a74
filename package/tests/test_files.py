"""Atomic writes, hashes of files and folders, and strict YAML."""

import os
from pathlib import Path

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import (
    atomic_file,
    atomic_folder,
    delete_folder,
    hash_path,
    read_yaml,
    write_text,
)


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_appears_whole(tmp_path):
    with atomic_file(tmp_path / "new" / "a.txt") as scratch:
        scratch.write_text("done")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert listing(tmp_path) == ["new", "new/a.txt"]


def test_an_interrupted_file_leaves_the_old_one(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "a.txt") as scratch:
        scratch.write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "a.txt").read_text() == "old"
    assert listing(tmp_path) == ["a.txt"]


def test_an_interrupted_folder_leaves_the_old_one(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").touch()
    with pytest.raises(OSError, match="disk full"), atomic_folder(tmp_path / "out") as scratch:
        (scratch / "half.txt").touch()
        raise OSError("disk full")
    assert listing(tmp_path) == ["out", "out/old.txt"]


def test_a_folder_replaces_the_old_one_wholly(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").touch()
    with atomic_folder(tmp_path / "out") as scratch:
        (scratch / "new.txt").touch()
    assert listing(tmp_path) == ["out", "out/new.txt"]


@pytest.mark.parametrize("below", ["a.txt", "more/a.txt"])
def test_a_file_where_a_folder_is_needed_is_named(tmp_path, below):
    write_text(tmp_path / "out", "mine")
    message = r"out: is a file, but a folder is needed\. Move it away"
    with pytest.raises(UsageError, match=message):
        write_text(tmp_path / "out" / below, "new")
    for folder in ("out", f"out/{below}"):
        with pytest.raises(UsageError, match=message), atomic_folder(tmp_path / folder):
            pass
    assert (tmp_path / "out").read_text() == "mine"
    assert listing(tmp_path) == ["out"]


def test_a_link_to_nothing_in_a_folders_place_is_named(tmp_path):
    (tmp_path / "out").symlink_to("gone")
    with pytest.raises(UsageError, match="out: is a file, but a folder is needed"):
        write_text(tmp_path / "out" / "a.txt", "new")


def test_text_has_unix_line_ends_and_utf8_everywhere(tmp_path):
    write_text(tmp_path / "a.txt", "ä\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa4\nb\n"


def folder_hash(folder: Path, **files: str) -> str:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return hash_path(folder)


def test_names_and_contents_decide_a_folders_hash(tmp_path):
    same = [folder_hash(tmp_path / name, a="1", b="2") for name in ("one", "two")]
    assert same[0] == same[1]
    others = [
        folder_hash(tmp_path / "content", a="1", b="3"),
        folder_hash(tmp_path / "name", a="1", c="2"),
        folder_hash(tmp_path / "swapped", a="2", b="1"),
        folder_hash(tmp_path / "nested", a="1", d__b="2"),
        folder_hash(tmp_path / "more", a="1", b="2", c=""),
    ]
    assert len({same[0], *others}) == 6


def test_what_python_and_editors_leave_does_not_count(tmp_path):
    before = folder_hash(tmp_path, a="1")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").touch()
    (tmp_path / ".DS_Store").touch()
    assert hash_path(tmp_path) == before


def test_the_hash_of_a_file_is_sha256_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_path(tmp_path / "a") == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "line 3: not valid YAML: duplicate key 'a'"),
        pytest.param("a:\n  b: 1\n  b: 2\n", "line 3: not valid YAML: duplicate key 'b'"),
        pytest.param("a: [1, 2\n", "not valid YAML"),
        pytest.param("\ta: 1\n", "line 1: not valid YAML"),
        pytest.param("a: 1\nb: 2024-13-45\n", "line 2: not valid YAML: '2024-13-45': month"),
        pytest.param("no: 1\n", "line 1: not valid YAML: a key must be text, got `no`, which"),
        pytest.param("a: 1\n2: 1\n", "line 2: not valid YAML: a key must be text, got `2`"),
        pytest.param("a: {b: 1,000}\n", "or write a number without a comma"),
        pytest.param("a: 010\n", "line 1: not valid YAML: `010` is the number 8 in YAML; write 8"),
        pytest.param("a: [0o7, 1:30]\n", "`1:30` is the number 90 in YAML; write 90"),
        pytest.param("a: -1:30:00.5\n", "`-1:30:00.5` is the number -5400.5 in YAML"),
        pytest.param("a:1\nb: 2\n", "write a space after a colon"),
        pytest.param("\ta: 1\n", "indent with spaces, not with a tab"),
        pytest.param("a: [1\nb: 2\n", "close the bracket"),
        pytest.param("a: *b\n", "put a text that begins with * in quotes"),
        pytest.param("a: @b\n", "put a text that begins with it in quotes"),
        pytest.param("- 1\n", "expected `key: value` lines, found list"),
        pytest.param("", "expected `key: value` lines, found nothing"),
        pytest.param("? [1]\n: 2\n", "a key must be text; put it in quotes"),
        pytest.param("a: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        pytest.param("a: " + "9" * 5000, "line 1: not valid YAML"),
        pytest.param("a: " + "[" * 1500, "not valid YAML: nested too deeply"),
        pytest.param("a: \x01\n", "not valid YAML"),
    ],
)
def test_errors_in_yaml_name_the_file_and_the_line(tmp_path, text, says):
    path = tmp_path / "train.yml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_yaml_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.yml: does not exist"):
        read_yaml(tmp_path / "gone.yml")
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\)\. It must be a file"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yml").write_bytes(b"a: \xe4\n")
    with pytest.raises(UsageError, match=r"latin\.yml: cannot be read as UTF-8"):
        read_yaml(tmp_path / "latin.yml")


def test_a_folder_into_which_somebody_still_writes_is_deleted(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    (folder / "result").mkdir(parents=True)
    late = ["second.txt", "first.txt"]
    remove = os.rmdir

    def written_to(path: str, **options: object) -> None:
        if Path(path).name == "result" and late:
            (folder / "result" / late.pop()).touch()
        remove(path, **options)

    monkeypatch.setattr(os, "rmdir", written_to)
    delete_folder(folder)
    assert not folder.exists()
    assert not late
