"""The migration to 1.0.0: imports of the team's files follow the platform package."""

import json
import subprocess
import sys
from pathlib import Path

import copier
import pytest

from tests.projects import Project
from tests.rendering import ROOT, commit_all
from tests.update.merging import files
from tests.update.migrations import PATCH, SCRIPT
from tests.update.releases import DEFAULTS, Template, git

SCRIPT_FILE = ROOT / "hooks" / "migrations" / "package.py"
MODULES = {"artifact", "errors", "gates", "serving", "serving.scorer", "team"}
LAST = "v0.7.0"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import pandas as pd\n", "import pandas as pd\n"),
        (
            "from credit_risk.mlops import errors\n",
            "from mlops_platform.core import errors\n",
        ),
        (
            "from credit_risk.mlops.gates import Gate, check as run\n",
            "from mlops_platform.evaluation.gates import Gate, check as run\n",
        ),
        (
            "from credit_risk.mlops.serving.scorer import Scorer\nScorer(a, b, c)\n",
            "from mlops_platform.serving.scorer import Scorer\n"
            "from mlops_platform.models.team import Team\n"
            'Scorer(a, b, c, Team("credit_risk"))\n',
        ),
        (
            "from credit_risk.mlops import artifact\nartifact.load(path)\n",
            "from mlops_platform.models import artifact\n"
            "from mlops_platform.models.team import Team\n"
            'artifact.load(path, Team("credit_risk"))\n',
        ),
        (
            "if x:\n    from credit_risk.mlops import errors, gates\n",
            "if x:\n    from mlops_platform.core import errors\n"
            "    from mlops_platform.evaluation import gates\n",
        ),
        ("run('python -m credit_risk.mlops train')\n", "run('python -m mlops_platform train')\n"),
        (
            "def broken(:\n# credit_risk.mlops.gates\n",
            "def broken(:\n# mlops_platform.evaluation.gates\n",
        ),
        ("from other.mlops import errors\n", "from other.mlops import errors\n"),
    ],
)
def test_code_is_rewritten(old: str, new: str) -> None:
    rewriter = SCRIPT.Rewriter("credit_risk", MODULES)
    assert rewriter.code(old) == new
    assert rewriter.code(new) == new, "a second run changed something"


def test_relative_imports_are_rewritten() -> None:
    rewriter = SCRIPT.Rewriter("credit_risk", MODULES)
    new = rewriter.code("from .mlops.errors import UsageError\n", ("credit_risk",))
    assert new == "from mlops_platform.core.errors import UsageError\n"


def test_only_code_cells_with_imports_are_rewritten() -> None:
    rewriter = SCRIPT.Rewriter("credit_risk", MODULES)
    code = {"cell_type": "code", "source": ["%pip list\n", "from credit_risk.mlops import gates\n"]}
    text = {"cell_type": "markdown", "source": ["Ours.\n"]}
    new = json.loads(SCRIPT.notebook(json.dumps({"cells": [code, text]}), rewriter))
    assert new["cells"][0]["source"] == [
        "%pip list\n",
        "from mlops_platform.evaluation import gates\n",
    ]
    assert new["cells"][1] == text
    unchanged = json.dumps({"cells": [text]})
    assert SCRIPT.notebook(unchanged, rewriter) == unchanged


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Project:
    """A project of the last release with the platform's code in it, with work of the team."""
    project = template.start(LAST, DEFAULTS, tmp_path / "project")
    project.write("src/credit_risk/plots.py", "from credit_risk.mlops.errors import UsageError\n")
    errors = "src/credit_risk/mlops/errors.py"
    project.write(errors, project.read(errors) + "\n# ours\n")
    commit_all(project.path, "Work")
    return project


def test_imports_follow_and_edits_are_saved(template: Template, project: Project) -> None:
    template.update(project, template.current, unsafe=True)
    assert not project.has("src/credit_risk/mlops")
    expected = "from mlops_platform.core.errors import UsageError\n"
    assert project.read("src/credit_risk/plots.py") == expected
    patch = project.read(PATCH)
    assert "+++ b/src/mlops_platform/core/errors.py" in patch
    assert "+# ours\n" in patch
    for name, content in files(project.path).items():
        if name != PATCH:
            assert b"credit_risk.mlops" not in content, name


def test_a_second_run_of_the_package_move_changes_nothing(
    template: Template, project: Project
) -> None:
    template.update(project, template.current, unsafe=True)
    commit_all(project.path, "Update")
    project.run(sys.executable, str(SCRIPT_FILE), "credit_risk")
    template.update(project, template.current)
    assert git(project.path, "status", "--porcelain") == ""


def test_plain_copier_stops_before_it_overwrites_a_file_that_git_ignores(
    template: Template, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    before, after = (template.pristine(tag, DEFAULTS) for tag in (LAST, template.current))
    [name] = [
        path.relative_to(after).as_posix()
        for path in (after / "vendor").iterdir()
        if not (before / path.relative_to(after)).exists()
    ]
    project.write(".gitignore", project.read(".gitignore") + f"/{name}\n")
    commit_all(project.path, "Ignore")
    project.write(name, "a week of work")
    with pytest.raises(copier.errors.TaskError):
        template.update(project, template.current, unsafe=True)
    assert f"{name}: the template adds a file there" in capfd.readouterr().err
    assert project.read(name) == "a week of work"
    assert git(project.path, "status", "--porcelain") == ""
    (project.path / name).unlink()
    template.update(project, template.current, unsafe=True)
    assert (project.path / name).read_bytes() == (after / name).read_bytes()


def test_a_missing_last_release_gives_one_message(project: Project) -> None:
    answers = project.read(".copier-answers.yml").replace(f"_commit: {LAST}", "_commit: v0.0.9")
    project.write(".copier-answers.yml", answers)
    commit_all(project.path, "Work")
    done = subprocess.run(
        [sys.executable, str(SCRIPT_FILE), "credit_risk"],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "by hand" in done.stderr
    assert "Traceback" not in done.stderr
