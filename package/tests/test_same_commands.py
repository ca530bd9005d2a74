"""What runs here is what runs in Azure ML: the component's command, its bindings replaced."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from mlops_platform import pipelines
from mlops_platform.pipelines import runner

from package.tests.samples import EXAMPLES

FOLDERS = [EXAMPLES / name for name in ("credit-risk", "energy-demand")]
PIPELINES = [path for folder in FOLDERS for path in sorted(folder.glob("pipelines/*.yml"))]


def as_azure_runs_it(component: Path, values: dict[str, str]) -> list[str]:
    """The words that a shell makes of the command, once Azure ML has put the values in."""
    command = yaml.safe_load(component.read_text())["command"]
    command = re.sub(r"\$\[\[(.*?)\]\]", r"\1", command)  # what is optional has a value here
    filled = re.sub(r"\$\{\{([\w.]+)\}\}", lambda match: values[match[1]], command)
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {filled}"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_a_step_is_the_components_command(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text())["jobs"]
    steps = pipelines.load(path).steps
    assert {step.name for step in steps} == set(jobs)
    for step in steps:
        literals = {"version": "champion", "trigger": "drift since Monday"}
        given = {port: literals.get(port, Path(f"/in/{port}")) for port in step.inputs}
        values = {f"inputs.{port}": str(value) for port, value in given.items()}
        values |= {f"outputs.{port}": f"/out/{port}" for port in step.outputs}
        component = path.parent / jobs[step.name]["component"]
        assert runner.build_command(step, given, Path("/out")) == as_azure_runs_it(
            component, values
        )


def test_a_run_leaves_the_command_that_it_ran(trained) -> None:
    jobs = yaml.safe_load((trained.root / "pipelines" / "train.yml").read_text())["jobs"]
    for name in ("validate", "prepare", "train", "evaluate", "compare", "register"):
        values = {
            "inputs.conf": str(trained.conf),
            "inputs.raw": str(trained.raw),
            "inputs.trigger": "manual",
        }
        for port, bound in jobs[name]["inputs"].items():
            match = re.fullmatch(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.(\w+)\}\}", bound)
            if match:
                values[f"inputs.{port}"] = str(trained.step(match[1]) / match[2])
        component = trained.root / "pipelines" / jobs[name]["component"]
        for port in yaml.safe_load(component.read_text())["outputs"]:
            values[f"outputs.{port}"] = str(trained.step(name) / port)
        record = yaml.safe_load((trained.step(name) / "step.json").read_text())
        # The workspace was copied after its run: only the folder above is another.
        ran = [re.sub(r"^/.*?/project/", f"{trained.root}/", word) for word in record["command"]]
        assert ran == as_azure_runs_it(component, values)
