"""A release becomes available: the wheel that the source gives, annotated tags, a feed."""

import http.server
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooks import wheel
from hooks.projects import HookError
from hooks.release import command
from hooks.release.publish import publish, tag
from hooks.release.questions import Questions
from hooks.release.repository import package_problems
from tests.rendering import commit_all
from tests.update.releases import git
from tests.update.test_releases import write


def test_the_wheel_is_what_the_source_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    built = wheel.build()
    assert (wheel.VENDOR / wheel.name()).read_bytes() == built
    umask = os.umask(0o077)
    try:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        assert wheel.build() == built
    finally:
        os.umask(umask)
    with zipfile.ZipFile(wheel.VENDOR / wheel.name()) as archive:
        entries = archive.infolist()
        assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in entries} == {wheel.EPOCH}
        names = set(archive.namelist())
    assert {"mlops_platform/py.typed", "mlops_platform/report/page.html"} <= names
    assert not [name for name in names if Path(name).name.startswith("test_")]
    assert not list(wheel.PACKAGE.rglob(".gitignore"))


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template's folder with the wheel, for a test to change."""
    folder = Path(shutil.copytree(wheel.VENDOR, tmp_path / "vendor"))
    monkeypatch.setattr(wheel, "VENDOR", folder)
    monkeypatch.setattr(wheel, "ROOT", tmp_path)
    return folder


def test_a_wheel_that_the_source_does_not_give_is_named(vendor: Path) -> None:
    assert wheel.problem() == ""
    path = vendor / wheel.name()
    path.write_bytes(path.read_bytes() + b"x")
    assert "is not what package/ gives" in wheel.problem()
    shutil.copy(path, vendor / "mlops_platform-0.9.0-py3-none-any.whl")
    assert "mlops_platform-0.9.0" in wheel.problem()
    with pytest.raises(HookError, match=r"mlops_platform-0\.9\.0"):
        publish("http://127.0.0.1:1/")
    wheel.write()
    assert [each.name for each in vendor.iterdir()] == [wheel.name()]
    assert wheel.problem() == ""


@pytest.mark.parametrize(
    ("file", "old", "message"),
    [
        ("package/pyproject.toml", 'version = "{}"', "package/pyproject.toml, `version`: is 0.0.1"),
        ("copier.yml", 'default: "{}"', "copier.yml, `platform_version`: is 0.0.1"),
    ],
)
def test_template_and_package_are_released_together(
    tmp_path: Path, file: str, old: str, message: str
) -> None:
    version = wheel.version()
    (tmp_path / "package").mkdir()
    for name in ("package/pyproject.toml", "copier.yml"):
        shutil.copy(wheel.ROOT / name, tmp_path / name)
    shutil.copytree(wheel.ROOT / "includes", tmp_path / "includes")
    assert package_problems(tmp_path, version, Questions(tmp_path)) == []
    text = (tmp_path / file).read_text()
    assert text.count(old.format(version)) == 1
    (tmp_path / file).write_text(text.replace(old.format(version), old.format("0.0.1")))
    (problem,) = package_problems(tmp_path, version, Questions(tmp_path))
    assert message in problem


def test_releases_get_annotated_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "repository"
    write(root, [], "0.1.0")
    commit_all(root, "0.1.0")
    first = git(root, "rev-parse", "HEAD").strip()
    write(root, [("0.1.0", first)], "0.2.0")
    commit_all(root, "Work")
    assert tag(root) == ["v0.1.0"]
    assert git(root, "cat-file", "-t", "v0.1.0").strip() == "tag"
    assert git(root, "rev-parse", "v0.1.0^{commit}").strip() == first
    assert tag(root) == []
    git(root, "tag", "--force", "v0.1.0", "HEAD")
    with pytest.raises(HookError, match="never move one"):
        tag(root)
    monkeypatch.setattr(command, "ROOT", root)
    assert command.main(["tag"]) == 2


class Feed(http.server.BaseHTTPRequestHandler):
    """Takes uploads of whoever knows the password."""

    uploads: list[bytes]

    def do_POST(self) -> None:
        """The library's name for POST."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.headers["Authorization"] == "Basic YWRhOnNlY3JldA=="  # ada:secret
        if known:
            self.uploads.append(body)
        self.send_response(200 if known else 403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def feed() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a feed, and what was uploaded to it."""
    handler = type("Handler", (Feed,), {"uploads": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/upload", handler.uploads
    server.shutdown()
    server.server_close()


def test_the_wheel_goes_to_a_feed(
    feed: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, uploads = feed
    monkeypatch.setenv("UV_PUBLISH_USERNAME", "ada")
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", "wrong")
    assert command.main(["publish", url]) == 2
    assert "was not published" in capsys.readouterr().err
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", "secret")
    assert command.main(["publish", url]) == 0
    assert f"published {wheel.name()}" in capsys.readouterr().out
    (body,) = uploads
    assert (wheel.VENDOR / wheel.name()).read_bytes() in body
