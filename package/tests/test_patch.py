"""`mlops patch` with the real uv, and an index that has uploads before and after the date."""

import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import threading
import tomllib
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from mlops_platform import cli
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.template import patch, patches

DAY = "2026-11-20T00:00:00Z"
WHY = "GHSA-0000-0000-0000"
# package, version, upload, what it needs
FILES = [
    ("fixed", "1.0", "2026-11-01T00:00:00Z", ""),
    ("fixed", "1.1", "2026-11-25T10:11:12.500Z", ""),
    ("other", "1.0", "2026-11-01T00:00:00Z", ""),
    ("other", "1.5", "2026-11-02T00:00:00Z", ""),
    ("other", "2.0", "2026-11-25T00:00:00Z", ""),
    ("held", "1.0", "2026-11-01T00:00:00Z", ""),
    ("held", "2.0", "2026-11-26T00:00:00Z", ""),
    ("holder", "1.0", "2026-11-01T00:00:00Z", "held<2"),
    ("holder", "1.1", "2026-11-27T00:00:00Z", "held>=2"),
]
PROJECT = f"""\
[project]
name = "p"
version = "1"
requires-python = ">=3.11"
dependencies = ["fixed", "holder", "other"]

[tool.uv]
exclude-newer = "{DAY}"  # the day whose package versions were tested

[tool.uv.exclude-newer-package]
# Security fixes, from conf/patches.yml:

[tool.poe]
include = "poe_tasks.toml"
"""
HEADER = "[tool.uv.exclude-newer-package]\n# Security fixes, from conf/patches.yml:\n"


def _metadata(name, version, needs):
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"


def _wheel(name, version, needs):
    content, metadata = io.BytesIO(), _metadata(name, version, needs)
    kind = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(content, "w") as wheel:
        for file, text in (("METADATA", metadata), ("WHEEL", kind), ("RECORD", "")):
            wheel.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/{file}"), text)
    return content.getvalue()


class Index(http.server.BaseHTTPRequestHandler):
    """A package index that reports upload times, as PyPI does."""

    def do_GET(self):
        """Answer with a project's files, or with a wheel's metadata."""
        name = self.path.rstrip("/").rpartition("/")[2]
        files = {f"{n}-{v}-py3-none-any.whl": (n, v, up, need) for n, v, up, need in FILES}
        if name.removesuffix(".metadata") in files:  # uv asks for nothing else of a wheel
            n, v, _, need = files[name.removesuffix(".metadata")]
            body, kind = _metadata(n, v, need).encode(), "text/plain"
        else:
            listed = [
                {
                    "filename": file,
                    "url": f"/files/{file}",
                    "hashes": {"sha256": hashlib.sha256(_wheel(n, v, need)).hexdigest()},
                    "core-metadata": True,
                    "upload-time": up,
                }
                for file, (n, v, up, need) in files.items()
                if n == name
            ]
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": listed}
            body, kind = json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The surroundings of uv: the index, and a cache of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
        patched.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patched.setenv("UV_LOCKED", "1")  # as in CI: `poe patch` changes the lock nevertheless
        yield
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def made(index, tmp_path_factory):
    """A project that was locked at the template's date, and keeps `other` at 1.0 on purpose."""
    root = tmp_path_factory.mktemp("made")
    (root / "conf").mkdir()
    (root / "pyproject.toml").write_text(PROJECT)
    lock(root, "--upgrade-package", "other==1.0")
    return root


@pytest.fixture
def root(made, tmp_path, monkeypatch):
    root = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(root)
    return root


def lock(root, *options):
    """Lock as a person does, outside CI."""
    environment = {name: value for name, value in os.environ.items() if name != "UV_LOCKED"}
    command = ["uv", "lock", *options]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def locked(root):
    lock = tomllib.loads((root / "uv.lock").read_text())
    return {each["name"]: each["version"] for each in lock["package"] if each["name"] != "p"}


def content(root):
    """Whether CI's `uv sync --locked` accepts the lock."""
    check = ["uv", "lock", "--check"]
    return subprocess.run(check, cwd=root, capture_output=True, check=False).returncode == 0


def files(root):
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
    }


def test_one_package_is_lifted_and_all_others_stay(root):
    assert locked(root) == {"fixed": "1.0", "held": "1.0", "holder": "1.0", "other": "1.0"}
    (fix,) = patch.take(root, ["Fixed"], WHY)
    assert (fix.before, fix.after) == ("1.0", "1.1")
    assert locked(root) == {"fixed": "1.1", "held": "1.0", "holder": "1.0", "other": "1.0"}
    assert content(root)
    # As little as the version needs: up to its upload, and one line in pyproject.toml.
    line = 'fixed = "2026-11-25T10:11:13Z"\n'
    assert (root / "pyproject.toml").read_text() == PROJECT.replace(HEADER, HEADER + line)
    (entry,) = yaml.safe_load((root / "conf" / "patches.yml").read_text())["patches"]
    assert entry == {
        "package": "fixed",
        "version": "1.1",
        "uploaded": "2026-11-25T10:11:13Z",
        "reason": WHY,
        "until": datetime.now(UTC).date() + timedelta(days=90),
    }
    assert patches.find_problems(root) == []


def test_what_uv_chooses_later_is_the_same(root):
    patch.take(root, ["fixed"], WHY)
    (root / "uv.lock").unlink()
    lock(root)
    assert locked(root) == {"fixed": "1.1", "held": "1.0", "holder": "1.0", "other": "1.5"}


def test_a_version_inside_the_date_needs_no_exception(root):
    (fix,) = patch.take(root, ["other>=1.5,<2"], WHY)
    assert fix == ("other", "1.0", "1.5", None)
    assert content(root)
    assert not (root / "conf" / "patches.yml").exists()
    assert (root / "pyproject.toml").read_text() == PROJECT


def test_packages_that_need_each_other_are_taken_together(root):
    before = files(root)
    with pytest.raises(UsageError, match=r"held: stays at 1\.0; .*uv tree --invert"):
        patch.take(root, ["held"], WHY)
    with pytest.raises(UsageError, match="name that one too"):
        patch.take(root, ["held>=2"], WHY)
    assert files(root) == before
    patch.take(root, ["held", "holder"], WHY)
    assert locked(root) == {"fixed": "1.0", "held": "2.0", "holder": "1.1", "other": "1.0"}
    assert content(root)


def test_a_second_patch_keeps_the_first_and_the_same_package_is_renewed(root):
    patch.take(root, ["fixed"], WHY)
    patch.take(root, ["other"], WHY)
    later = datetime.now(UTC).date() + timedelta(days=200)
    patch.take(root, ["fixed>=1.1"], "still no release of the template", later)
    found = {each.package: each for each in patches.load(root / "conf").patches}
    assert set(found) == {"fixed", "other"}
    assert found["fixed"].until == later
    assert content(root)


@pytest.mark.parametrize(
    ("packages", "why", "until", "message"),
    [
        (["absent"], WHY, None, r"absent: is not in uv\.lock"),
        (["p"], WHY, None, "p: does not come from a package index"),
        (["fixed>=9"], WHY, None, "uv cannot lock these versions, nothing was changed"),
        (["fixed @ file:///x"], WHY, None, "write the name of a package"),
        (["fixed 1.1"], WHY, None, "write the name of a package"),
        (["fixed"], "", None, "--why: name the advisory"),
        (["fixed"], WHY, date(2020, 1, 1), "--until 2020-01-01: is not in the future"),
    ],
)
def test_what_cannot_be_done_changes_nothing(root, packages, why, until, message):
    before = files(root)
    with pytest.raises(UsageError, match=message):
        patch.take(root, packages, why, until)
    assert files(root) == before


def test_an_interrupted_patch_leaves_the_files_as_they_were(root, monkeypatch):
    before = files(root)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(patches, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        patch.take(root, ["fixed"], WHY)
    assert files(root) == before


def move_date(root, day):
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(text.replace(DAY, day))


def test_it_goes_away_when_the_template_catches_up(root, capsys):
    patch.take(root, ["fixed"], WHY)
    assert patches.drop_caught_up(root) == []  # not yet
    move_date(root, "2026-11-28T00:00:00Z")
    (problem,) = patches.find_problems(root)
    assert "includes 1.1 now. Run `uv run poe patch`" in problem
    cli.invoke(["patch"])
    assert "fixed: the template's date includes 1.1, entry removed" in capsys.readouterr().out
    assert (root / "pyproject.toml").read_text() == PROJECT.replace(DAY, "2026-11-28T00:00:00Z")
    assert not (root / "conf" / "patches.yml").exists()
    assert locked(root)["fixed"] == "1.1"
    assert content(root)


def test_an_update_removes_only_what_the_template_caught_up_with(root):
    patch.take(root, ["fixed"], WHY)
    patch.take(root, ["other"], WHY)
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(text.replace(HEADER, HEADER + "own = false\n"))
    move_date(root, "2026-11-25T05:00:00Z")
    assert [each.package for each in patches.drop_caught_up(root)] == ["other"]
    assert set(patches.exceptions((root / "pyproject.toml").read_text())) == {"fixed", "own"}


def test_an_ended_record_is_told_with_what_to_do(root):
    patch.take(root, ["fixed"], WHY)
    record = root / "conf" / "patches.yml"
    entry = patches.load(root / "conf").patches[0]
    record.write_text(record.read_text().replace(str(entry.until), "2026-01-01"))
    (problem,) = patches.find_problems(root)
    assert problem.startswith("conf/patches.yml: fixed: ended on 2026-01-01.")
    assert 'uv run poe patch fixed --why "..."' in problem
    patch.take(root, ["fixed>=1.1"], WHY)
    assert patches.find_problems(root) == []


def test_a_withdrawn_record_takes_the_version_with_it(root):
    patch.take(root, ["fixed"], WHY)
    (root / "conf" / "patches.yml").unlink()
    (problem,) = patches.find_problems(root)
    assert problem.startswith("pyproject.toml, field `tool.uv.exclude-newer-package.fixed`")
    cli.invoke(["patch"])
    assert (root / "pyproject.toml").read_text() == PROJECT
    assert locked(root)["fixed"] == "1.0"
    assert content(root)


def test_an_edited_date_is_told(root):
    patch.take(root, ["fixed"], WHY)
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(text.replace("2026-11-25T", "2026-11-27T"))
    (problem,) = patches.find_problems(root)
    assert "pyproject.toml does not follow it" in problem


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ("", ""),  # a project from before this section
        ("[tool.uv.exclude-newer-package]\nmlops-platform = false\n", "mlops-platform = false\n"),
        ("[tool.uv.exclude-newer-package]  # ours\nmy-own = false\n", "my-own = false\n"),
    ],
)
def test_the_line_finds_its_place(table, kept):
    text = PROJECT.replace(HEADER, table)
    changed = patches.change(text, set(), {"fixed": datetime(2026, 11, 25, tzinfo=UTC)})
    assert 'fixed = "2026-11-25T00:00:00Z"\n' in changed
    assert kept in changed
    assert tomllib.loads(changed)["tool"]["poe"] == {"include": "poe_tasks.toml"}
    again = patches.change(changed, {"fixed"}, {})
    assert tomllib.loads(again) == tomllib.loads(text) | {"tool": tomllib.loads(again)["tool"]}


def test_an_inline_table_is_refused_with_what_to_write():
    text = PROJECT.replace(HEADER, "").replace(
        "[tool.uv]\n", "[tool.uv]\nexclude-newer-package = { own = false }\n"
    )
    with pytest.raises(UsageError, match=r"not valid TOML|write it as a table of its own"):
        patches.change(text, set(), {"fixed": datetime(2026, 11, 25, tzinfo=UTC)})


def test_two_entries_for_a_package_are_refused(root):
    patch.take(root, ["fixed"], WHY)
    record = root / "conf" / "patches.yml"
    entry = record.read_text().partition("patches:\n")[2]
    record.write_text(record.read_text() + entry.replace("fixed", "Fixed"))
    with pytest.raises(UsageError, match="fixed has two entries"):
        patches.load(root / "conf")


def test_a_project_without_patches_may_have_any_date(root):
    move_date(root, "3 weeks")
    assert patches.find_problems(root) == []


def test_poe_check_tells(root, monkeypatch):
    monkeypatch.setattr("mlops_platform.cli.settings_check.find_problems", lambda _: [])
    patch.take(root, ["fixed"], WHY)
    cli.invoke(["settings"])
    move_date(root, "2026-11-28T00:00:00Z")
    with pytest.raises(GateError, match=r"includes 1\.1 now"):
        cli.invoke(["settings"])
