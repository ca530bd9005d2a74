"""docs/packages.md: a firm's own feed, also one that knows no upload dates."""

import functools
import http.server
import os
import re
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Project

WHEEL = "tinyfeed-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tinyfeed\nVersion: 1.0\n"
KIND = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that keeps its log to itself."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[str]:
    """The address of a feed with one package, whose pages have no upload dates."""
    folder = tmp_path / "feed" / "simple" / "tinyfeed"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, text in (("METADATA", METADATA), ("WHEEL", KIND), ("RECORD", "")):
            wheel.writestr(f"tinyfeed-1.0.dist-info/{name}", text)
    (folder / "index.html").write_text(f'<a href="{WHEEL}">{WHEEL}</a>\n')
    handler = functools.partial(Quiet, directory=str(tmp_path / "feed"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def lock(project: Path, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_CONFIG_HOME": str(home), "UV_NO_CACHE": "1", **variables}
    return subprocess.run(
        ["uv", "lock"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_a_feed_without_dates_works_as_the_page_says(
    feed: str, kept_project: Callable[..., Project], tmp_path: Path
) -> None:
    rendered = kept_project({"project_name": "Credit Risk"})
    told = re.findall(r"```toml\n(.*?)```", rendered.read("docs/packages.md"), re.DOTALL)
    settings, off = (block.replace("https://feed.example.com/simple", feed) for block in told)
    project, user = tmp_path / "project", tmp_path / "config" / "uv" / "uv.toml"
    project.mkdir()
    date = next(line for line in rendered.read("pyproject.toml").splitlines() if "newer" in line)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["tinyfeed"]\n[tool.uv]\n{date}\n'
    )
    user.parent.mkdir(parents=True)
    user.write_text(settings)
    refused = lock(project, tmp_path / "config")
    assert refused.returncode != 0
    assert "exclude-newer" in refused.stderr

    user.write_text(settings + off)
    assert lock(project, tmp_path / "config").returncode == 0
    assert feed in (project / "uv.lock").read_text()
