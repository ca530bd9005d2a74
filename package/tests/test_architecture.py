"""The rules between the standard's rooms, and what no room may do at all."""

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from package.tests import renders
from tests.rendering import ROOT

STANDARD = ROOT / "template" / "src" / "[[package_name]]" / "mlops"
KEPT = renders.KEPT / "credit-risk" / "src"
RULES = Path(__file__).with_name("rooms.toml")


def broken_rules(source: Path) -> set[str]:
    """The names of the rules in rooms.toml that a source folder breaks."""
    done = subprocess.run(
        ["lint-imports", "--config", str(RULES), "--no-cache"],
        cwd=source,
        env={"PYTHONPATH": str(source), "PATH": os.environ["PATH"], "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert any(line.startswith("Contracts:") for line in lines), done.stdout + done.stderr
    return {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}


def test_the_rooms_keep_the_rules() -> None:
    assert broken_rules(KEPT) == set()


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("settings", "from . import registry", "A room imports from lower floors only"),
        ("contract", "from . import team", "A room imports from lower floors only"),
        ("local", "from .cli import app", "A room imports from lower floors only"),
        ("unheard_of", "X = 1", "A room imports from lower floors only"),
        ("steps/train", "from . import evaluate", "Steps do not import each other"),
        ("steps/train", "import mlflow", "Only tracking, registry and artifact know MLflow"),
        ("metrics", "import matplotlib.pyplot", "Only report knows pictures and HTML"),
        ("registry", "from fastapi import FastAPI", "Only serving knows HTTP"),
        ("gates", "import numpy", "Gates know numbers and limits"),
        ("team", "from ..model import build", "The standard reaches the team's modules"),
    ],
)
def test_a_rule_fires(tmp_path: Path, module: str, line: str, rule: str) -> None:
    source = tmp_path / "src"
    shutil.copytree(KEPT, source, ignore=shutil.ignore_patterns("__pycache__"))
    file = source / "credit_risk" / "mlops" / f"{module}.py"
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")
    broken = broken_rules(source)
    assert len(broken) == 1, broken
    assert broken.pop().startswith(rule)


PICKLES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
FORBIDDEN_NAMES = {
    "log_model": "Azure ML's endpoint answers it with 404",
    "read_pickle": "a pickle runs code when it is loaded",
    "to_pickle": "a pickle runs code when it is loaded",
    "allow_pickle": "a pickle runs code when it is loaded",
    "set_registered_model_alias": "Azure ML does not list aliases",
    "get_model_version_by_alias": "Azure ML does not list aliases",
    "delete_registered_model_alias": "Azure ML does not list aliases",
    "transition_model_version_stage": "stages are seen by the MLflow SDK only",
    "get_latest_versions": "it selects by stage",
}


def forbidden_uses(code: str) -> list[str]:
    """What a module does that the standard forbids: `line: name, reason`."""
    found = []
    for node in ast.walk(ast.parse(code)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").split(".")[0], *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.keyword):
            names = [node.arg or ""]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # An address with an alias or a stage: models:/name@champion, models:/name/Production
            names = ["an alias or stage"] if node.value.startswith("models:/") else []
        for name in names:
            if name in PICKLES or name == "an alias or stage":
                found.append(f"{node.lineno}: {name}")
            elif name in FORBIDDEN_NAMES:
                found.append(f"{node.lineno}: {name}, {FORBIDDEN_NAMES[name]}")
    return found


def test_no_pickle_no_log_model_no_alias_no_stage() -> None:
    modules = list(STANDARD.rglob("*.py"))
    assert len(modules) > 20
    faults = {
        module.relative_to(STANDARD).as_posix(): found
        for module in modules
        if (found := forbidden_uses(module.read_text(encoding="utf-8")))
    }
    assert faults == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import dump",
        "import cloudpickle as c",
        "mlflow.sklearn.log_model(model, 'model')",
        "from mlflow.sklearn import log_model",
        "frame.to_pickle('x')",
        "numpy.load('x', allow_pickle=True)",
        "client.set_registered_model_alias('m', 'champion', '1')",
        "client.transition_model_version_stage('m', '1', 'Production')",
        "load('models:/m@champion')",
    ],
)
def test_the_guard_fires(code: str) -> None:
    assert forbidden_uses(code)


def runs_az(code: str) -> bool:
    """Does a module have the program's name as a word of its own?"""
    return any(
        isinstance(node, ast.Constant) and node.value in ("az", "az.cmd")
        for node in ast.walk(ast.parse(code))
    )


def test_one_module_runs_az() -> None:
    users = {
        module.relative_to(STANDARD).as_posix()
        for module in STANDARD.rglob("*.py")
        if runs_az(module.read_text(encoding="utf-8"))
    }
    assert users == {"azure/az.py"}
