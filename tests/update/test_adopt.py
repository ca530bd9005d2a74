"""`hooks adopt`: existing repositories come under the template and lose nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from cookiecutter.main import cookiecutter

from hooks.adopt.answers import from_remote
from hooks.adopt.plan import recordable_source
from tests import scripts
from tests.projects import Project
from tests.rendering import ROOT, commit_all, copy_template, render

OWNERSHIP = Path("package", "src", "mlops_platform", "template", "ownership.toml")
BRANCH = "adopt-copier-mlops"
RELEASE, NEXT = "v0.2.0", "v0.3.0"
SEEDS = re.compile(r"(conf|data|notebooks|tests)/|src/[^/]+/[^/]+\.py$")

LEGACY = {
    "README.md": "# {{ cookiecutter.project_name }}\n\nRun `python train.py`.\n",
    "requirements.txt": "pandas\nscikit-learn\n",
    "train.py": '"""Trains {{ cookiecutter.project_name }}."""\n\nMARGIN = 0.1\n',
    ".gitignore": "*.pkl\n",
    "tests/test_train.py": "from train import MARGIN\n\n\ndef test_margin():\n    assert MARGIN\n",
}
HOOK = "  - repo: meta\n    hooks: [{id: identity}]\n"
CONTEXT = {
    "project_name": "Churn",
    "project_slug": "{{ cookiecutter.project_name | lower }}",
    "project_short_description": "Who leaves us.",
    "author_email": "churn@contoso.com",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    return os.fsdecode(done.stdout)


def blobs(folder: Path, revision: str = "HEAD") -> dict[str, str]:
    """Mode and hash of every file of a commit, by path."""
    lines = git(folder, "ls-tree", "-r", "-z", revision).split("\0")[:-1]
    return {path: about for about, path in (line.split("\t", 1) for line in lines)}


def state(folder: Path) -> tuple[str, ...]:
    """Everything visible in a repository: branches, HEAD, index, content of all files."""
    commands = (
        ("for-each-ref",),
        ("rev-parse", "--abbrev-ref", "HEAD"),
        ("ls-files", "--stage"),
        ("status", "--porcelain", "--ignored"),
        ("stash", "list"),
    )
    contents = sorted(
        (str(path.relative_to(folder)), "" if path.is_dir() else path.read_bytes().hex())
        for path in folder.rglob("*")
        if ".git" not in path.relative_to(folder).parts
    )
    return (*(git(folder, *arguments) for arguments in commands), str(contents))


def clone_with_release(folder: Path) -> Path:
    """A clone of this template with one release, like that of a platform team."""
    copy_template(folder)
    (folder / OWNERSHIP).parent.mkdir(parents=True)
    shutil.copy(ROOT / OWNERSHIP, folder / OWNERSHIP)
    shutil.copytree(ROOT / "hooks", folder / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".gitignore").write_text("__pycache__/\n")
    commit_all(folder, RELEASE)
    git(folder, "tag", RELEASE)
    return folder


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clone for all tests; they only read it."""
    folder = clone_with_release(tmp_path_factory.mktemp("clone") / "copier-mlops")
    # Forked processes do not compile again what this process has compiled.
    render({"project_name": "Warm"}, tmp_path_factory.mktemp("warm") / "project")
    return folder


def adopt(
    clone: Path, project: Path, *options: str, expect: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the clone's command; it never prints a traceback."""
    done = scripts.run_hooks(["adopt", str(project), *options], clone, environment)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == expect, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def planned(clone: Path, project: Path, *options: str, **environment: str) -> dict[str, Any]:
    """The output of the command with --json."""
    plan: dict[str, Any] = json.loads(
        adopt(clone, project, "--json", *options, **environment).stdout
    )
    return plan


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


@pytest.fixture
def legacy(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A project that cookiecutter rendered and people changed since.

    The second value is the environment with cookiecutter's settings for this test.
    """
    template = tmp_path / "legacy-template"
    write(template / "{{ cookiecutter.project_slug }}", LEGACY)
    write(template, {"cookiecutter.json": json.dumps(CONTEXT)})
    settings = tmp_path / "cookiecutterrc"
    settings.write_text(f"replay_dir: {(tmp_path / 'replay').as_posix()}\n")
    made = cookiecutter(
        str(template), no_input=True, output_dir=str(tmp_path), config_file=str(settings)
    )
    project = Path(made)
    commit_all(project, "Start from the legacy template")
    write(
        project,
        {
            "train.py": '"""Trains Churn, with care."""\n\nMARGIN = 0.2\n',
            ".gitignore": "*.pkl\nsecrets/\n",
            "tests/conftest.py": '"""Ours."""\n',
            "reports/Überblick 1.md": "Ein Bericht\n",
            "data/raw/old.txt": "one\r\ntwo\r\n",
        },
    )
    (project / "reports" / "plot.png").write_bytes(bytes(range(256)))
    (project / "requirements.txt").unlink()
    commit_all(project, "Changes since then")
    return project, {"COOKIECUTTER_CONFIG": str(settings)}


@pytest.fixture
def handmade(tmp_path: Path) -> Path:
    """A project with pyproject.toml, a package below src, and a remote at Azure DevOps."""
    project = write(
        tmp_path / "some-folder",
        {
            "pyproject.toml": '[project]\nname = "acme-churn"\nversion = "3"\n'
            'description = "Predicts churn."\nauthors = [{ email = "ann@contoso.com" }]\n',
            "src/churn/__init__.py": "",
            "src/churn/model.py": "MODEL = 1\n",
            "conf/train.yml": "ours: true\n",
            "README.md": "# Ours\n",
        },
    )
    commit_all(project, "Start")
    git(project, "remote", "add", "origin", "https://contoso@dev.azure.com/contoso/ml/_git/churn")
    return project


def resolve(project: Path) -> None:
    """Keep both sides of each conflict: the template's lines, then the team's."""
    for name in git(project, "diff", "--name-only", "--diff-filter=U").splitlines():
        path = project / name
        text = path.read_text(encoding="utf-8")
        both = r"<<<<<<< [^\n]*\n(.*?)=======\n(.*?)>>>>>>> [^\n]*\n"
        path.write_text(re.sub(both, r"\2\1", text, flags=re.S), encoding="utf-8")


def assert_merge_is_open(project: Path, before: str, plan: dict[str, Any]) -> None:
    """Conflicts are the files that both have, that differ and are no seeds; others are equal."""
    answers = {key: each["value"] for key, each in plan["answers"].items()}
    fresh = render(answers, project.parent / "fresh")
    commit_all(fresh, "Render")
    theirs, ours = blobs(project, before), blobs(fresh)
    ours.pop(".copier-answers.yml")  # this render has no release to record
    differ = {p for p in theirs.keys() & ours.keys() if theirs[p] != ours[p]}
    conflicts = {path for path in differ if not SEEDS.match(path)}

    assert git(project, "rev-parse", "--abbrev-ref", "HEAD").strip() == BRANCH
    assert git(project, "rev-parse", "HEAD").strip() == before, "the merge is committed"
    unmerged = git(project, "ls-files", "--unmerged", "-z").split("\0")[:-1]
    assert {line.split("\t")[1] for line in unmerged} == conflicts == set(plan["conflicts"])
    assert conflicts == set(plan["files"]["both"])
    for path in conflicts:
        assert "<<<<<<<" in (project / path).read_text(encoding="utf-8")

    resolve(project)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--no-edit")
    after = blobs(project)
    assert {p: after[p] for p in theirs if p not in conflicts} == {
        p: theirs[p] for p in theirs if p not in conflicts
    }
    assert set(after) == theirs.keys() | ours.keys() | {".copier-answers.yml"}
    added = ours.keys() - theirs.keys()
    assert {path: after[path] for path in added} == {path: ours[path] for path in added}
    assert git(project, "rev-parse", "HEAD^1").strip() == before, "their history is not in it"
    recorded = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert recorded["_commit"] == RELEASE
    assert Path(recorded["_src_path"]).is_absolute()
    assert {key: recorded[key] for key in answers} == answers


def test_a_cookiecutter_project_is_adopted(
    clone: Path, legacy: tuple[Path, dict[str, str]]
) -> None:
    project, settings = legacy
    before, head = state(project), git(project, "rev-parse", "HEAD").strip()

    plan = planned(clone, project, **settings)
    assert not plan["adopted"]
    assert state(project) == before, "showing the plan changed something"
    replay = "cookiecutter's replay legacy-template.json"
    assert plan["answers"]["project_name"] == {"value": "Churn", "source": replay}
    assert plan["answers"]["description"] == {"value": "Who leaves us", "source": replay}
    assert plan["answers"]["user_email"]["value"] == "churn@contoso.com"
    assert plan["answers"]["team"]["source"] == "default"
    assert set(plan["files"]["kept"]) == {"tests/conftest.py"}
    assert "reports/Überblick 1.md" in plan["files"]["untouched"]

    done = planned(clone, project, "--yes", **settings)
    assert done["conflicts"] == [".gitignore", "README.md"]
    assert_merge_is_open(project, head, done)


def test_a_replay_of_another_project_is_ignored(
    clone: Path, legacy: tuple[Path, dict[str, str]]
) -> None:
    project, settings = legacy
    moved = project.rename(project.with_name("moved"))
    plan = planned(clone, moved, **settings)
    assert plan["answers"]["project_name"] == {"value": "moved", "source": "the folder's name"}


def test_a_cruft_project_is_adopted(clone: Path, legacy: tuple[Path, dict[str, str]]) -> None:
    project, _ = legacy
    context = {"project_name": "Cruft Model", "email": "cruft@contoso.com", "_template": "x"}
    cruft = {"template": "https://example.com/t", "context": {"cookiecutter": context}}
    write(project, {".cruft.json": json.dumps(cruft)})
    commit_all(project, "Under cruft")
    git(project, "remote", "add", "origin", "git@github.com:contoso/cruft-model.git")
    head = git(project, "rev-parse", "HEAD").strip()

    done = planned(clone, project, "--yes")
    assert done["answers"]["project_name"] == {"value": "Cruft Model", "source": ".cruft.json"}
    assert done["answers"]["user_email"] == {"value": "cruft@contoso.com", "source": ".cruft.json"}
    assert done["answers"]["ci"] == {"value": "github", "source": "the remote"}
    assert any(".cruft.json stays" in note for note in done["notes"])
    assert_merge_is_open(project, head, done)


def test_a_project_made_by_hand_is_adopted(clone: Path, handmade: Path) -> None:
    head = git(handmade, "rev-parse", "HEAD").strip()
    write(handmade, {".editorconfig": (ROOT / "template" / ".editorconfig").read_text()})
    commit_all(handmade, "Has a file of the template, byte for byte")
    head = git(handmade, "rev-parse", "HEAD").strip()

    done = planned(clone, handmade, "--yes", "--data", "team=@contoso/lending")
    answers = {key: (each["value"], each["source"]) for key, each in done["answers"].items()}
    assert answers["project_name"] == ("churn", "the remote"), "the package in src decides"
    assert answers["package_name"] == ("churn", "default")
    assert answers["description"] == ("Predicts churn", "pyproject.toml")
    assert answers["user_email"] == ("ann@contoso.com", "pyproject.toml")
    assert answers["ci"] == ("azure-devops", "the remote")
    assert answers["team"] == ("@contoso/lending", "--data")
    assert done["files"]["same"] == [".editorconfig"]
    kept = {"conf/train.yml", "src/churn/__init__.py", "src/churn/model.py"}
    assert set(done["files"]["kept"]) == kept
    assert done["conflicts"] == ["README.md", "pyproject.toml"]
    assert (handmade / ".azuredevops").is_dir()
    assert_merge_is_open(handmade, head, done)


def test_the_text_lists_every_conflict_and_the_steps(clone: Path, handmade: Path) -> None:
    plan = adopt(clone, handmade).stdout
    assert "Nothing was changed. To do this, add --yes." in plan
    done = adopt(clone, handmade, "--yes").stdout
    for text in ("README.md  (shared: keep", "uv sync", "uv run poe check", "git commit", BRANCH):
        assert text in done


def test_data_that_is_a_link_stays_a_link(clone: Path, handmade: Path, tmp_path: Path) -> None:
    store = write(tmp_path / "store", {"raw/credit.csv": "ours\n"})
    (handmade / "data").symlink_to(store, target_is_directory=True)
    commit_all(handmade, "The data is somewhere else")
    head = git(handmade, "rev-parse", "HEAD").strip()
    done = planned(clone, handmade, "--yes")
    assert "data/raw/credit.csv" in done["files"]["kept"]
    assert (handmade / "data").is_symlink()
    assert git(handmade, "diff", "--cached", "--name-only", head, "--", "data") == ""
    assert (store / "raw/credit.csv").read_text() == "ours\n"


def test_a_file_that_git_ignores_is_never_overwritten(clone: Path, handmade: Path) -> None:
    write(handmade, {".gitignore": "conf/\n", "conf/gates.yml": "ours\n"})
    commit_all(handmade, "Ignore")
    done = planned(clone, handmade, "--yes")
    assert "conf/gates.yml" in done["files"]["kept"]
    assert (handmade / "conf/gates.yml").read_text() == "ours\n"


def test_the_line_endings_of_data_stay(clone: Path, handmade: Path) -> None:
    (handmade / "data").mkdir()
    (handmade / "data" / "big.csv").write_bytes(b"a,b\r\n1,2\r\n")
    git(handmade, "-c", "core.autocrlf=false", "add", ".")
    git(handmade, "commit", "--quiet", "-m", "Data")
    assert not any("data/big.csv" in note for note in planned(clone, handmade)["notes"])


@pytest.mark.parametrize("package", ["numpy", "class", "a_package_with_a_name_that_is_too_long"])
def test_a_refused_name_comes_with_a_suggestion(clone: Path, handmade: Path, package: str) -> None:
    git(handmade, "mv", "src/churn", f"src/{package}")
    commit_all(handmade, "Rename")
    before = state(handmade)
    message = adopt(clone, handmade, "--yes", expect=2).stderr
    assert f'project_name "{package}"' in message
    assert f"It came from src/{package}." in message
    assert "--data project_name=VALUE" in message
    assert state(handmade) == before
    suggestion = re.search(r"for example '([^']+)'", message)
    assert suggestion
    plan = planned(clone, handmade, "--data", f"project_name={suggestion.group(1)}")
    assert plan["answers"]["project_name"]["value"] == suggestion.group(1)
    assert any(f"src/{package} stays" in note for note in plan["notes"])


def dirty(project: Path) -> None:
    write(project, {"README.md": "changed\n"})


def untracked(project: Path) -> None:
    write(project, {"new.txt": "new\n"})


def detached(project: Path) -> None:
    git(project, "switch", "--quiet", "--detach")


def merging(project: Path) -> None:
    git(project, "switch", "--quiet", "--create", "other")
    write(project, {"other.txt": "other\n"})
    commit_all(project, "Other")
    git(project, "switch", "--quiet", "main")
    git(project, "merge", "--quiet", "--no-ff", "--no-commit", "other")


def rebasing(project: Path) -> None:
    git(project, "-c", "sequence.editor=sed -i 1ibreak", "rebase", "--interactive", "--root")


def adopted(project: Path) -> None:
    write(project, {".copier-answers.yml": "_commit: 1.0.0\n"})
    commit_all(project, "Adopted")


def branch_exists(project: Path) -> None:
    git(project, "branch", BRANCH)


def broken(name: str) -> Callable[[Path], None]:
    def plant(project: Path) -> None:
        write(project, {name: "{ broken"})
        commit_all(project, "Broken")

    return plant


def committed(name: str) -> Callable[[Path], None]:
    def plant(project: Path) -> None:
        write(project, {name: "ours\n"})
        commit_all(project, "Ours")

    return plant


def ignored(project: Path) -> None:
    write(project, {".gitignore": "poe_tasks.toml\n", "poe_tasks.toml": "ours\n"})
    commit_all(project, "Ignore")


def linked(project: Path) -> None:
    (project / "README.md").unlink()
    (project / "README.md").symlink_to("pyproject.toml")
    commit_all(project, "Link")


@pytest.mark.parametrize(
    ("plant", "options", "message"),
    [
        pytest.param(dirty, (), "not committed (README.md)", id="dirty"),
        pytest.param(untracked, (), "not committed (new.txt)", id="untracked"),
        pytest.param(detached, (), "HEAD is detached", id="detached"),
        pytest.param(merging, (), "a merge is in progress", id="merging"),
        pytest.param(rebasing, (), "a rebase is in progress", id="rebasing"),
        pytest.param(adopted, (), "under Copier already", id="adopted"),
        pytest.param(branch_exists, (), f"has a branch {BRANCH}", id="branch-exists"),
        pytest.param(
            None, ("--branch", "a..b"), "does not accept this branch name", id="branch-name"
        ),
        pytest.param(broken(".cruft.json"), (), ".cruft.json is not valid JSON", id="cruft"),
        pytest.param(broken("pyproject.toml"), (), "pyproject.toml is not valid TOML", id="toml"),
        pytest.param(
            committed("docs"),
            (),
            "your docs is where the template needs a folder",
            id="file-for-folder",
        ),
        pytest.param(
            committed("poe_tasks.toml/x"), (), "poe_tasks.toml: yours is a folder", id="folder"
        ),
        pytest.param(committed("POE_tasks.toml"), (), "differs only in case", id="case"),
        pytest.param(committed("Docs/x.md"), (), "your Docs differs only", id="case-of-folder"),
        pytest.param(ignored, (), "poe_tasks.toml: yours exists, but git ignores", id="ignored"),
        pytest.param(linked, (), "README.md: yours is a link", id="link"),
        pytest.param(None, ("--data", "tsk=x"), "has no such question", id="unknown-answer"),
        pytest.param(None, ("--data", "task"), "KEY=VALUE", id="no-value"),
        pytest.param(None, ("--data", "task=poetry"), "task 'poetry' is refused", id="choice"),
        pytest.param(None, ("--version", "9.9.9"), "9.9.9", id="version"),
        pytest.param(None, ("--template", "nowhere"), "nowhere", id="template"),
    ],
)
def test_what_cannot_be_adopted_is_refused_and_unchanged(
    clone: Path,
    handmade: Path,
    plant: Callable[[Path], None] | None,
    options: tuple[str, ...],
    message: str,
) -> None:
    if plant:
        plant(handmade)
    before = state(handmade)
    assert message in adopt(clone, handmade, "--yes", *options, expect=2).stderr
    assert state(handmade) == before


def test_an_adoption_is_never_deleted(clone: Path, handmade: Path) -> None:
    adopt(clone, handmade, "--yes")
    resolve(handmade)
    commit_all(handmade, "Adopt")
    message = adopt(clone, handmade, expect=2).stderr
    assert "under Copier already" in message
    assert message.rstrip().endswith("uv run poe template-update")
    git(handmade, "switch", "--quiet", "main")
    message = adopt(clone, handmade, expect=2).stderr
    assert f"git merge {BRANCH}" in message and f"git branch -d {BRANCH}" in message
    assert "-D" not in message


def test_a_folder_that_is_not_a_repository_is_refused(
    clone: Path, handmade: Path, tmp_path: Path
) -> None:
    for folder, message in {
        tmp_path / "nowhere": "no such folder",
        write(tmp_path / "plain", {"README.md": ""}): "not the work tree of a git repository",
        handmade / "src": "Give its top folder",
    }.items():
        assert message in adopt(clone, folder, expect=2).stderr
    git(tmp_path / "plain", "init", "--quiet")
    (tmp_path / "plain" / "README.md").unlink()
    assert "has no commit" in adopt(clone, tmp_path / "plain", expect=2).stderr


def test_a_template_without_release_is_refused(clone: Path, handmade: Path, tmp_path: Path) -> None:
    shutil.copytree(clone, tmp_path / "untagged")
    git(tmp_path / "untagged", "tag", "--delete", RELEASE)
    assert "release" in adopt(tmp_path / "untagged", handmade, expect=2).stderr


@pytest.mark.parametrize(
    ("address", "recorded"),
    {
        "https://github.com/contoso/t.git": "https://github.com/contoso/t.git",
        "https://ann:secret@github.com/contoso/t.git": "https://github.com/contoso/t.git",
        "https://contoso@dev.azure.com/contoso/ml/_git/t": "git+https://dev.azure.com/contoso/ml/_git/t",
        "git@github.com:contoso/t.git": "git@github.com:contoso/t.git",
        "ssh://git@git.contoso.com/t": "git+ssh://git@git.contoso.com/t",
        "gh:contoso/t": "gh:contoso/t",
    }.items(),
)
def test_the_recorded_address_is_one_that_updates_can_use(address: str, recorded: str) -> None:
    assert recordable_source(address) == recorded
    assert Path(recordable_source("somewhere")) == Path.cwd() / "somewhere"


def test_a_template_behind_a_url_is_recorded_as_one(clone: Path, handmade: Path) -> None:
    plan = planned(clone, handmade, "--template", clone.as_uri())
    assert plan["template"] == f"git+{clone.as_uri()}"
    assert not any("folder of this machine" in note for note in plan["notes"])


@pytest.mark.parametrize(
    ("remote", "platform"),
    {
        "https://github.com/contoso/churn.git": "github",
        "ssh://git@github.contoso.com:22/ml/churn": "github",
        "git@ssh.dev.azure.com:v3/contoso/ml/churn": "azure-devops",
        "https://contoso.visualstudio.com/ml/_git/churn": "azure-devops",
        "https://notgithub.example.com/ml/churn": None,
        "https://example.com/github.com/churn": None,
    }.items(),
)
def test_the_remote_decides_the_ci_platform(remote: str, platform: str | None) -> None:
    answers = {key: guess.value for key, guess in from_remote(remote)}
    assert answers == {"project_name": "churn"} | ({"ci": platform} if platform else {})


def test_without_an_identity_nothing_starts(clone: Path, handmade: Path) -> None:
    before = state(handmade)
    nobody = {"GIT_COMMITTER_NAME": "", "GIT_COMMITTER_EMAIL": ""}
    assert "git config user.name" in adopt(clone, handmade, "--yes", expect=2, **nobody).stderr
    assert state(handmade) == before


def test_no_code_of_the_repository_is_run(clone: Path, handmade: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    trap = handmade / ".githooks" / "post-checkout"
    names = ("post-checkout", "post-merge", "pre-merge-commit", "post-index-change", "watch")
    for name in names:
        write(handmade, {f".githooks/{name}": f"#!/bin/sh\necho {name} >> '{ran.as_posix()}'\n"})
        (trap.parent / name).chmod(0o755)
    commit_all(handmade, "Hooks")
    git(handmade, "config", "core.hooksPath", ".githooks")
    git(handmade, "config", "core.fsmonitor", ".githooks/watch")
    adopt(clone, handmade, "--yes")
    assert not ran.exists(), ran.read_text()
    git(handmade, "merge", "--abort")
    git(handmade, "switch", "--quiet", "main")
    assert "post-checkout" in ran.read_text(), "the trap does not work, so the test proves nothing"


@pytest.fixture
def failing_git(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """A git that works normally, except for the given commands during a merge."""
    real = shutil.which("git")

    def make(lines: str) -> dict[str, str]:
        script = write(tmp_path / "bin", {"git": f'#!/bin/sh\nreal="{real}"\n{lines}\n'})
        (script / "git").chmod(0o755)
        return {"PATH": f"{script}{os.pathsep}{os.environ['PATH']}"}

    return make


MERGES = 'case " $* " in *" merge "*) {} ;; esac\nexec "$real" "$@"'


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(('echo "disk full" >&2; exit 128', 2, "disk full"), id="before"),
        pytest.param(('"$real" "$@"; exit 128', 2, "failed with 128"), id="after"),
        pytest.param(("mkdir docs && echo x > docs/gates.md; exit 1", 2, "stopped"), id="half"),
        pytest.param(
            (
                '"$real" "$@"; "$real" rm -qf src/churn/model.py; exit 0',
                2,
                "not planned: src/churn",
            ),
            id="unplanned",
        ),
        pytest.param(
            ('kill -s INT -- -$PPID; "$real" "$@"; exit 0', 130, "Interrupted"), id="ctrl-c"
        ),
        pytest.param(('"$real" "$@"; kill -TERM $PPID; exit 0', 130, "Interrupted"), id="ended"),
    ],
)
def test_a_failure_half_way_leaves_the_repository_unchanged(
    clone: Path,
    handmade: Path,
    failing_git: Callable[[str], dict[str, str]],
    failure: tuple[str, int, str],
) -> None:
    lines, code, message = failure
    before = state(handmade)
    done = adopt(clone, handmade, "--yes", expect=code, **failing_git(MERGES.format(lines)))
    assert message in done.stderr
    assert state(handmade) == before
    adopt(clone, handmade, "--yes")  # a second try works


def test_a_failed_undo_is_reported(
    clone: Path, handmade: Path, failing_git: Callable[[str], dict[str, str]]
) -> None:
    before = state(handmade)
    lines = 'case " $* " in *" merge "*) exit 128 ;; *" reset "*) exit 1 ;; esac\nexec "$real" "$@"'
    message = adopt(clone, handmade, "--yes", expect=2, **failing_git(lines)).stderr
    assert "Undoing it failed too" in message
    command = message.rstrip().splitlines()[-1].strip()
    subprocess.run(command, shell=True, cwd=handmade, check=True)  # noqa: S602  the printed command
    assert state(handmade) == before


def release_next(clone: Path, folder: Path, title: str) -> Path:
    """A copy of the clone for a later release: one change of each kind."""
    shutil.copytree(clone, folder)
    files = folder / "template"
    readme = (files / "README.md.jinja").read_text(encoding="utf-8")
    write(
        folder,
        {
            "template/README.md.jinja": readme.replace("# [[ project_name ]]\n", title),
            "template/docs/gates.md": (files / "docs" / "gates.md").read_text() + "\nNew.\n",
            "template/docs/new.md": "# New\n",
            "template/conf/train.yml": "seeds: do not travel\n",
        },
    )
    return folder


@pytest.mark.parametrize(
    ("title", "conflicts"),
    [
        pytest.param("# [[ project_name ]]\n", [], id="lines-apart"),
        pytest.param("# The [[ project_name ]]\n", ["README.md"], id="one-line-of-both"),
    ],
)
def test_the_next_update_brings_only_changes(
    clone: Path,
    legacy: tuple[Path, dict[str, str]],
    tmp_path: Path,
    title: str,
    conflicts: list[str],
) -> None:
    project, settings = legacy
    template = tmp_path / "template"
    shutil.copytree(clone, template)
    adopt(template, project, "--yes", **settings)
    resolve(project)
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace("# Churn\n", "# Churn, ours\n", 1))
    commit_all(project, "Adopt")
    before = blobs(project)

    later = release_next(clone, tmp_path / "later", title)
    shutil.copytree(later / "template", template / "template", dirs_exist_ok=True)
    commit_all(template, NEXT)
    git(template, "tag", NEXT)
    copier.run_update(project, defaults=True, overwrite=True, unsafe=False, quiet=True)

    unmerged = git(project, "diff", "--name-only", "--diff-filter=U").splitlines()
    assert unmerged == conflicts
    if conflicts:
        both = (project / "README.md").read_text()
        assert "# Churn, ours\n" in both and "# The Churn\n" in both
        assert both.count("<<<<<<<") == 1
    commit_all(project, "Update")
    after = blobs(project)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    expected = {".copier-answers.yml", "docs/gates.md", "docs/new.md", *conflicts}
    assert changed == expected
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["_commit"] == NEXT


def commands(page: str) -> list[str]:
    """The blocks of commands of docs/adopt.md, in their order."""
    return re.findall(r"```bash\n(.*?)```", page, flags=re.S)


def test_the_commands_of_the_page_work(tmp_path: Path, legacy: tuple[Path, dict[str, str]]) -> None:
    project, settings = legacy
    write(project, {"docs/gates.md": "Ours.\n", ".pre-commit-config.yaml": "repos:\n" + HOOK})
    commit_all(project, "Has a page with the name of a template page, and a hook")
    clone = clone_with_release(tmp_path / "clones" / "copier-mlops")
    before = state(project)
    churn = clone.parent / "churn"  # the path in the page
    shutil.copytree(project, churn)
    page = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
    plan, do, back, conflicts, go_on = commands(page)

    def run_in(folder: Path, block: str) -> str:
        block = block.replace("uv run python", f'"{sys.executable}"')
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=folder,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    assert "Nothing was changed" in run_in(clone, plan)
    run_in(clone, do)
    run_in(churn, back)
    assert state(churn) == before
    run_in(clone, do)
    theirs = [".pre-commit-config.yaml", "docs/gates.md"]
    assert set(run_in(churn, conflicts).split()) == {".gitignore", "README.md", *theirs}
    git(churn, "checkout", "--theirs", *theirs)
    with (churn / ".pre-commit-config.yaml").open("a") as hooks:
        hooks.write(HOOK)
    assert "README.md" in git(churn, "grep", "<<<<<<< ")
    resolve(churn)
    assert "git grep '<<<<<<< '" in page
    assert run_in(churn, "git grep '<<<<<<< ' || true") == ""
    run_in(churn, go_on)
    assert len(yaml.safe_load((churn / ".pre-commit-config.yaml").read_text())["repos"]) == 2
    assert Project(churn).has("uv.lock")
    assert git(churn, "status", "--porcelain") == ""
    assert len(git(churn, "rev-list", "--parents", "--max-count=1", "HEAD").split()) == 3
