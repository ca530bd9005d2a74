"""The rules between the sub-packages, and what none of them may do at all."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import mlops_platform
import pytest

SOURCE = Path(mlops_platform.__file__).parent
RULES = SOURCE.parents[1] / "layers.toml"


def broken_rules(source: Path) -> set[str]:
    """The names of the rules in layers.toml that a source folder breaks."""
    done = subprocess.run(
        ["lint-imports", str(RULES), "--no-cache"],
        cwd=source,
        env={"PYTHONPATH": str(source), "PATH": os.environ["PATH"], "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    broken = re.findall(r"^(.+) BROKEN(?: \(.+\))?$", done.stdout, re.MULTILINE)
    counted = re.search(r"^Contracts: \d+ kept, (\d+) broken\.$", done.stdout, re.MULTILINE)
    assert counted, done.stdout + done.stderr
    assert len(broken) == int(counted[1]), done.stdout
    return set(broken)


def test_the_package_keeps_the_rules() -> None:
    assert broken_rules(SOURCE.parent) == set()


LAYERS = "A sub-package imports from lower layers only"


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("settings/schema", "from mlops_platform.tracking import registry", LAYERS),
        ("data/contract", "from mlops_platform.models import team", LAYERS),
        ("pipelines/runner", "from ..cli import app", LAYERS),
        ("data/contract", "from mlops_platform.tracking import roles", LAYERS),
        ("unheard_of", "X = 1", LAYERS),
        ("unheard/__init__", "X = 1", LAYERS),
        ("tracking/roles", "from . import registry", "Modules of a sub-package do not import"),
        ("steps/train", "from . import evaluate", "Steps do not import each other"),
        ("steps/train", "import mlflow", "Only experiments, registry and artifact know MLflow"),
        ("tracking/roles", "import mlflow", "Only experiments, registry and artifact know MLflow"),
        ("evaluation/metrics", "import matplotlib.pyplot", "Only report knows pictures and HTML"),
        ("tracking/registry", "from fastapi import FastAPI", "Only serving knows HTTP"),
        ("evaluation/gates", "import numpy", "Gates know numbers and limits"),
        ("models/team", "from credit_risk.model import build", "No project's package is imported"),
        ("steps/train", "import energy_demand.data", "No project's package is imported"),
    ],
)
def test_a_rule_fires(tmp_path: Path, module: str, line: str, rule: str) -> None:
    package = tmp_path / "src" / "mlops_platform"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    file = package / f"{module}.py"
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")
    broken = broken_rules(package.parent)
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
    """What a module does that is forbidden: `line: name, reason`."""
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
    modules = list(SOURCE.rglob("*.py"))
    assert len(modules) > 180
    faults = {
        module.relative_to(SOURCE).as_posix(): found
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


def imports_by_name(code: str) -> bool:
    """Does a module import others whose names it makes up, as those of a team are?"""
    nodes = list(ast.walk(ast.parse(code)))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return bool(names & {"__import__", "import_module", "run_module", "run_path"})


def modules_where(does: Callable[[str], bool]) -> set[str]:
    """The modules of the package whose code does something."""
    return {
        module.relative_to(SOURCE).as_posix()
        for module in SOURCE.rglob("*.py")
        if does(module.read_text(encoding="utf-8"))
    }


def test_one_module_runs_az() -> None:
    assert modules_where(runs_az) == {"azure/az.py"}


def test_one_module_calls_the_teams() -> None:
    # The others: Microsoft's own package, and estimators that conf/project.yml names in `trusted`.
    by_name = {"models/team.py", "models/trust.py", "specs/sdk.py"}
    assert modules_where(imports_by_name) == by_name


@pytest.mark.parametrize(
    "code",
    [
        "importlib.import_module(f'{package}.model')",
        "from importlib import import_module\nimport_module(package)",
        "__import__(package)",
        "runpy.run_module(package)",
    ],
)
def test_an_import_by_name_is_seen(code: str) -> None:
    assert imports_by_name(code)


def makes_keywords_of_names(code: str) -> bool:
    """Does a module make keyword arguments of names that data has, such as `self`?"""
    return any(
        isinstance(keyword.value, ast.Dict | ast.DictComp)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("assign", "agg", "rename_axis")
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg is None
    )


def test_no_name_of_a_column_is_a_keyword() -> None:
    assert modules_where(makes_keywords_of_names) == set()


def test_a_name_as_a_keyword_is_seen() -> None:
    assert makes_keywords_of_names("rows.assign(**{name: values})")
