"""Mutation testing: which changed lines of the decisive modules do their tests not notice?

`uv run --with mutmut==3.8.1 python benchmarks/mutation.py [TARGET ...]` prints, for each target,
how many mutants its tests kill, and the diff of each that survives. mutmut wants the sources in
`src/`, so it runs in a copy of this repository.
"""

import ast
import copy
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "mlops_platform"
WANTED = 0.95
KILLED = {"killed", "timeout"}
COPIED = ("benchmarks", "conftest.py", "examples", "hooks", "package/tests", "tests")
TARGETS = {
    "gates": (["evaluation/gates.py"], ["test_gates.py"]),
    "metrics": (
        ["evaluation/metrics.py"],
        ["test_metrics.py", "test_threshold.py::test_a_threshold_changes_metrics_of_labels_alone"],
    ),
    "drift": (
        ["monitoring/counts.py", "monitoring/drift.py", "monitoring/reference.py"],
        [
            *("test_distances.py", "test_drift_of_own_data.py"),
            "test_chunks.py::test_the_distance_is_that_of_scipy",
            "test_drift.py::test_parts_that_are_merged_are_as_the_whole",
            "test_drift.py::"
            "test_predictions_are_compared_with_every_mix_of_learned_and_unseen_rows",
            "test_drift.py::test_a_number_that_rises_with_the_time_is_a_clock_if_two_rows_say_so",
        ],
    ),
    "contract": (
        [
            *("data/contract.py", "data/columns.py", "data/rows.py", "data/values.py"),
            "data/request_types.py",
        ],
        ["test_contract_rules.py", "test_contract.py", "test_one_verdict.py"],
    ),
    "registry": (
        ["tracking/registry.py", "tracking/roles.py"],
        ["test_registry.py", "test_roles.py"],
    ),
}
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {modules}
also_copy = {copied}
timeout_constant = 20  # seconds: a session makes a store before its first test
timeout_multiplier = 3
# All sessions of mutmut are forks of one process, where MLflow keeps connections by path: each
# needs a temporary folder that no other had, so none is removed at the end of its session.
pytest_add_cli_args = [
  "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "tmp_path_retention_policy=all",
  "-m", "not catboost and not hypothesis",
]
pytest_add_cli_args_test_selection = {tests}
"""


def mutate(name: str, folder: Path) -> tuple[int, int, list[str]]:
    """Mutate a target in `folder`: mutants, those killed, and the diffs of those that survived."""
    modules, tests = TARGETS[name]
    for part in COPIED:
        source = ROOT / part
        duplicate = shutil.copytree if source.is_dir() else shutil.copy
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        duplicate(source, folder / part)
    shutil.copytree(ROOT / "package" / "src", folder / "src")
    for module in modules:
        bare_methods(folder / "src" / PACKAGE / module)
    settings = SETTINGS.format(
        modules=json.dumps([f"src/{PACKAGE}/{module}" for module in modules]),
        copied=json.dumps(sorted({part.split("/")[0] for part in COPIED})),
        tests=json.dumps([f"package/tests/{test}" for test in tests]),
    )
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project + settings, encoding="utf-8")
    run(folder, "run", "--max-children", "2")
    states = dict(
        line.strip().rsplit(": ", 1)
        for line in run(folder, "results", "--all", "true").splitlines()
        if ": " in line
    )
    survived = [mutant for mutant, state in states.items() if state not in KILLED]
    return len(states), len(states) - len(survived), [show(folder, each) for each in survived]


def bare_methods(path: Path) -> None:
    """Move the body of each property and validator to a method without decorators.

    mutmut changes no function that has a decorator.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for part in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for method in [node for node in part.body if isinstance(node, ast.FunctionDef)]:
            if method.decorator_list:
                bare = copy.copy(method)
                bare.name, bare.decorator_list = f"bare_{method.name}", []
                part.body.append(bare)
                call = ast.parse(f"self.{bare.name}()", mode="eval").body
                method.body = [ast.Return(call)]
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")


def show(folder: Path, mutant: str) -> str:
    """A mutant's name and its changed lines."""
    lines = run(folder, "show", mutant).splitlines()
    changed = [each for each in lines if each[:1] in "+-" and each[:3] not in ("+++", "---")]
    return "\n".join([mutant, *changed])


def run(folder: Path, *words: str) -> str:
    """Run mutmut; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(words)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def main(names: list[str]) -> int:
    """Mutate the targets; 1 if fewer than wanted are killed."""
    total = killed = 0
    for name in names or TARGETS:
        with tempfile.TemporaryDirectory() as scratch:
            mutants, dead, survived = mutate(name, Path(scratch))
        print(*survived, f"{name}: {dead} of {mutants} killed", sep="\n", flush=True)
        total, killed = total + mutants, killed + dead
    print(f"all: {killed} of {total} killed, {killed / total:.1%}")
    return int(killed < WANTED * total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
