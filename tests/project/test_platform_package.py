"""docs/updating.md and docs/packages.md: eject the platform package, pin it, get it from a feed."""

import functools
import hashlib
import http.server
import json
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import copier
import pytest

from tests.conftest import Kept, Project
from tests.project.test_own_feed import Quiet
from tests.rendering import commit_all, copy_template, render

CREDIT = {"project_name": "Credit Risk"}
EJECTED = "vendor/mlops-platform"
MODULE = f"{EJECTED}/src/mlops_platform/__init__.py"
FORK = """at_most: 1
forks:
  - path: vendor/mlops-platform
    reason: Our registry needs another client
    approved_by: platform team
    until: 2999-12-31
    sha256: sha256:{}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template repository with two releases; the second one has a newer wheel."""
    folder = copy_template(tmp_path_factory.mktemp("platform") / "template")
    commit_all(folder, "First release")
    subprocess.run(["git", "tag", "v2.0.0"], cwd=folder, check=True)
    settings = folder / "copier.yml"
    was = version(folder)
    settings.write_text(settings.read_text().replace(f'default: "{was}"', 'default: "2.9.0"'))
    [wheel] = (folder / "template").glob("*vendor*/*.whl")
    wheel.rename(wheel.with_name(wheel.name.replace(was, "2.9.0")))
    commit_all(folder, "Second release")
    subprocess.run(["git", "tag", "v2.9.0"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def first(template: Path, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the first release, locked and committed; for reading only."""
    folder = tmp_path_factory.mktemp("first") / "project"
    copier.run_copy(str(template), folder, data=CREDIT, vcs_ref="v2.0.0", defaults=True, quiet=True)
    with kept.project(CREDIT) as synced:
        shutil.copy(synced.path / "uv.lock", folder)
    Project(folder).run("uv", "lock", "--check")
    commit_all(folder, "Start")
    return folder


@pytest.fixture
def project(first: Path, tmp_path: Path) -> Project:
    """A test's own copy of it."""
    return Project(shutil.copytree(first, tmp_path / "project"))


@pytest.fixture
def ejected(project: Project) -> Project:
    """The same, ejected as the page has it."""
    project.run("uv", "run", "mlops", "eject")
    project.run("uv", "lock")
    project.run("uv", "sync")
    return project


class Dated(Quiet):
    """A file server whose pages are those of a feed with upload dates."""

    extensions_map = Quiet.extensions_map | {".html": "application/vnd.pypi.simple.v1+json"}


@pytest.fixture
def feed(first: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a firm's feed that has only the platform package, uploaded now."""
    folder = tmp_path / "feed" / "simple" / "mlops-platform"
    folder.mkdir(parents=True)
    [wheel] = (first / "vendor").glob("*.whl")
    shutil.copy(wheel, folder)
    file = {
        "filename": wheel.name,
        "url": wheel.name,
        "hashes": {"sha256": sha256(wheel)},
        "upload-time": datetime.now(UTC).isoformat(),
    }
    page = {"meta": {"api-version": "1.1"}, "name": "mlops-platform", "files": [file]}
    (folder / "index.html").write_text(json.dumps(page))
    handler = functools.partial(Dated, directory=str(tmp_path / "feed"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def version(template: Path) -> str:
    """The platform package's version that a template renders."""
    settings = (template / "copier.yml").read_text()
    found = re.search(r'platform_version:\n.*\n.*\n  default: "(.+)"', settings)
    assert found
    return found[1]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def images(project: Project) -> str:
    """Export the images' packages; returns the version that Azure ML gets."""
    printed = project.run("uv", "run", "mlops", "azure", "environments").stdout
    return printed.splitlines()[-1].removeprefix("version ")


def test_an_ejected_package_is_what_runs(ejected: Project) -> None:
    ejected.write(MODULE, ejected.read(MODULE) + 'print("changed by the team")\n')
    used = "import mlops_platform; print(mlops_platform.__file__)"
    printed = ejected.run("uv", "run", "python", "-c", used).stdout.splitlines()
    assert printed == ["changed by the team", str(ejected.path / MODULE)]
    again = ejected.run("uv", "run", "mlops", "eject", expect=2)
    assert f"{EJECTED}: already exists" in again.stderr


def test_the_images_of_an_ejected_package_have_its_code(ejected: Project) -> None:
    ejected.write(MODULE, ejected.read(MODULE) + "CHANGED = True\n")
    before = images(ejected)
    folder = ejected.path / "pipelines" / "environments" / "training"
    [wheel] = (folder / "vendor").glob("*.whl")
    with zipfile.ZipFile(wheel) as made:
        assert "CHANGED = True" in made.read("mlops_platform/__init__.py").decode()
    wanted = f"./vendor/{wheel.name} \\\n    --hash=sha256:{sha256(wheel)}\n"
    assert wanted in (folder / "requirements.txt").read_text()

    settings = f"{EJECTED}/pyproject.toml"
    raised = re.sub(r'^version = "(.+)"$', r'version = "\1+1"', ejected.read(settings), flags=re.M)
    ejected.write(settings, raised)
    ejected.run("uv", "lock")
    assert images(ejected) != before


def test_an_ejected_package_is_a_fork_to_agree_on(ejected: Project) -> None:
    refused = ejected.poe("template-check", expect=1).stderr
    assert f"ejected on {datetime.now(UTC).date()}: {EJECTED}" in " ".join(refused.split())
    ejected.write("conf/forks.yml", FORK.format("0" * 64))
    printed = "".join(ejected.poe("template-check", expect=1).stderr.split())
    digest = re.search(r"set`sha256`tosha256:([0-9a-f]{64})", printed)
    assert digest
    ejected.write("conf/forks.yml", FORK.format(digest[1]))
    ejected.poe("template-check")


def test_a_new_wheel_conflicts_in_the_line_of_an_ejected_package(ejected: Project) -> None:
    commit_all(ejected.path, "Eject")
    refused = ejected.poe("template-update", expect=1).stderr
    assert "1 file with conflicts: pyproject.toml" in " ".join(refused.split())
    [ours] = re.findall(r"<<<<<<< .*\n(.*)\n=======\n.*\n>>>>>>> ", ejected.read("pyproject.toml"))
    assert ours == f'mlops-platform = {{ path = "{EJECTED}", editable = true }}'


def test_an_ejection_is_undone_by_one_line(ejected: Project) -> None:
    [wheel] = (ejected.path / "vendor").glob("*.whl")
    line = f'mlops-platform = {{ path = "vendor/{wheel.name}" }}'
    settings = re.sub(r"^mlops-platform = .*$", line, ejected.read("pyproject.toml"), flags=re.M)
    ejected.write("pyproject.toml", settings)
    shutil.rmtree(ejected.path / EJECTED)
    ejected.run("uv", "lock")
    assert ejected.run("git", "status", "--porcelain").stdout == ""


def test_a_changed_wheel_is_refused(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(CREDIT)
    [wheel] = (project.path / "vendor").glob("*.whl")
    with zipfile.ZipFile(wheel, "a") as changed:
        changed.writestr("mlops_platform/planted.py", "")
    refused = project.run("uv", "sync", "--locked", expect=1).stderr
    assert "Hash mismatch for `mlops-platform" in refused


def test_the_project_installs_without_uv(kept_project: Callable[..., Project]) -> None:
    project = kept_project(CREDIT)
    told = "pip install --find-links vendor ."
    assert f"`{told}`" in project.read("docs/packages.md")
    command = ["uv", "tool", "run", "--quiet", "--from", "pip", *told.split()]
    done = project.run(*command, "--dry-run", "--quiet", "--report", "-")
    found = {each["metadata"]["name"]: each for each in json.loads(done.stdout)["install"]}
    [wheel] = (project.path / "vendor").glob("*.whl")
    assert found["mlops-platform"]["download_info"]["url"] == wheel.as_uri()


def test_a_project_with_a_feed_has_no_wheel(tmp_path: Path) -> None:
    project = Project(render(CREDIT | {"package_source": "feed"}, tmp_path / "project"))
    assert not project.has("vendor")
    assert "[tool.uv.sources]" not in project.read("pyproject.toml")
    assert "`vendor/*.whl`" not in project.read("README.md")


def test_the_platform_package_comes_from_a_feed_and_back(
    project: Project, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = project.read("uv.lock")
    project.poe("template-update", "--data", "package_source=feed", "--to", "v2.0.0")
    assert not project.has("vendor")
    rendered = project.read("pyproject.toml")
    assert "[tool.uv.sources]" not in rendered
    monkeypatch.setenv("UV_INDEX", feed)
    exempt = next(
        line for line in rendered.splitlines() if line.startswith("mlops-platform = false")
    )
    project.write("pyproject.toml", rendered.replace(exempt, ""))
    refused = " ".join(project.run("uv", "lock", expect=1).stderr.split())
    assert re.search("mlops-platform==.+ was published after the exclude newer time", refused)
    project.write("pyproject.toml", rendered)
    project.run("uv", "lock")
    assert f'source = {{ registry = "{feed}" }}' in project.read("uv.lock")
    project.run("uv", "sync", "--locked")
    project.run("uv", "run", "python", "-c", "import mlops_platform")

    commit_all(project.path, "From our feed")
    project.poe("template-update", "--data", "package_source=vendor", "--to", "v2.0.0")
    monkeypatch.delenv("UV_INDEX")
    project.run("uv", "lock")
    assert project.read("uv.lock") == lock
