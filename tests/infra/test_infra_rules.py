"""infra/ of a project: it plans, and each planted fault is caught by a rule that says which.

Each fault is a change of one place, in the files that are rendered or in conf/. The real
`terraform` runs, with the provider's own types and without Azure (provider.py).
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from mlops_platform.alerts.measures import MEASURES
from mlops_platform.cost.budget import NOTIFICATIONS

from tests.infra import azurerm
from tests.infra.conftest import EXAMPLE, PROVIDER, PYTHON, change

FAULTS = yaml.safe_load(Path(__file__).with_name("faults.yml").read_text())


def run(terraform: str, provider: dict[str, str], root: Path, *words: str) -> tuple[int, str]:
    """Run Terraform in a project's infra/: its exit code, and what it says on one line."""
    done = subprocess.run(
        [terraform, f"-chdir={root / 'infra'}", words[0], "-no-color", *words[1:]],
        env=os.environ | provider | {"TF_DATA_DIR": str(root / "work")},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (line.strip(" \u2502") for line in (done.stdout + done.stderr).splitlines())
    return done.returncode, " ".join(line for line in lines if line)


def only(root: Path, environment: str) -> None:
    """Leave one of the three runs, which is all that a fault needs."""
    file = root / "infra" / "rules.tftest.hcl"
    head, *runs = re.split(r'(?m)^(?=run ")', file.read_text())
    assert len(runs) == 3
    file.write_text(head + next(run for run in runs if run.startswith(f'run "{environment}"')))


@pytest.mark.parametrize("state", ["fresh", "filled"])
def test_each_environment_keeps_the_rules(terraform, provider, state, request):
    code, said = run(terraform, provider, request.getfixturevalue(state), "test")
    assert code == 0, said
    assert said.count("... pass") == 4  # three environments and the file
    assert "3 passed, 0 failed" in said


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_and_named(terraform, provider, filled, fault):
    planted = FAULTS[fault]
    name = planted["file"]
    file = filled / name if name.startswith("conf/") else filled / "infra" / name
    change(file, planted["old"], planted["new"])
    only(filled, planted.get("in", "prod"))
    code, said = run(terraform, provider, filled, "test")
    assert code == 1, said
    assert planted["says"] in said


def test_there_are_enough_faults():
    assert len(FAULTS) >= 30
    assert {planted["file"] for planted in FAULTS.values()} >= {"main.tf", "access.tf", "watch.tf"}


def test_no_file_is_out_of_format(terraform):
    done = [terraform, "fmt", "-check", "-diff", str(EXAMPLE / "infra")]
    shown = subprocess.run(done, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout


def test_the_types_are_those_of_the_provider():
    """The wheel of the index has the same; a new type in infra/ needs azurerm.json again."""
    made = azurerm.from_wheel()
    assert made == json.loads(azurerm.FILE.read_text()), "python -m tests.infra.azurerm"
    resources, data = azurerm.used(EXAMPLE / "infra")
    assert set(made["resources"]) == resources
    assert set(made["data-sources"]) == data


def test_the_platforms_own_roles_take_the_place_of_ours(terraform, provider, filled):
    change(filled / "conf" / "team.yml", "definitions: own", "definitions: Contoso ML")
    only(filled, "prod")
    code, said = run(terraform, provider, filled, "test")
    assert code == 0, said


def test_without_the_licence_reading_production_is_standing_and_shown(terraform, provider, filled):
    change(filled / "conf" / "team.yml", "just_in_time: true", "just_in_time: false")
    only(filled, "prod")
    code, said = run(terraform, provider, filled, "test")
    assert code == 0, said


def test_init_finds_the_provider_and_locks_it(terraform, filled, tmp_path):
    """With a mirror of providers on the disk, as a firm without internet has it."""
    version = json.loads(azurerm.FILE.read_text())["version"]
    folder = f"registry.terraform.io/hashicorp/azurerm/{version}/linux_amd64"
    program = tmp_path / "mirror" / folder / f"terraform-provider-azurerm_v{version}"
    program.parent.mkdir(parents=True)
    python = " ".join(PYTHON)
    program.write_text(f'#!/bin/sh\nexec {python} "{PROVIDER}" "{azurerm.FILE}"\n')
    program.chmod(0o755)
    settings = tmp_path / "terraformrc"
    mirror = f'filesystem_mirror {{\n    path = "{tmp_path / "mirror"}"\n  }}'
    settings.write_text(f"provider_installation {{\n  {mirror}\n}}\n")
    provider = {"TF_CLI_CONFIG_FILE": str(settings)}
    code, said = run(terraform, provider, filled, "init", "-backend=false", "-input=false")
    assert code == 0, said
    lock = (filled / "infra" / ".terraform.lock.hcl").read_text()
    assert f'version     = "{version}"' in lock
    code, said = run(terraform, provider, filled, "validate")
    assert code == 0, said


def test_the_pages_commands_and_terraform_name_identities_alike():
    page = (EXAMPLE / "docs" / "connect.md").read_text()
    access = (EXAMPLE / "infra" / "access.tf").read_text()
    assert 'name                = "id-${local.project}-${each.key}"' in access
    assert 'az identity show --name "id-credit-risk-$ENV" --resource-group "rg-credit-risk-' in page
    names = re.findall(r"(?m)^(?:SHARED|STATE)=\"(.*)\"", page)
    conf = yaml.safe_load((EXAMPLE / "conf" / "prod.yml").read_text())["infra"]
    assert names == [conf["shared"], conf["state"]]


def test_azures_metrics_are_those_of_the_measures():
    text = (EXAMPLE / "infra" / "watch.tf").read_text()
    found = re.findall(r"^ {4}(\w+) += (\[\"(?:endpoint|workspace)\".*\])$", text, re.MULTILINE)
    assert {name: json.loads(value) for name, value in found} == {
        measure.name: [
            measure.azure.resource,
            measure.azure.metric,
            measure.azure.aggregation,
            measure.azure.scale,
            measure.azure.dimension[1] if measure.azure.dimension else "",
        ]
        for measure in MEASURES.values()
        if measure.azure
    }


def test_the_budgets_notifications_are_those_of_the_dashboard():
    text = (EXAMPLE / "infra" / "watch.tf").read_text()
    found = re.findall(r"(\w+) = \[\"(Actual|Forecasted)\", (\d+)\]", text)
    assert {name: (kind, int(percent)) for name, kind, percent in found} == NOTIFICATIONS
    assert {kind for kind, _ in NOTIFICATIONS.values()} == {"Actual", "Forecasted"}


def test_the_endpoint_is_watched_once_it_is_there(terraform, provider, filled):
    """A check of this test's own says which alerts were made."""
    change(filled / "conf" / "prod.yml", "budget: 1500}", "budget: 1500, endpoint: true}")
    (filled / "infra" / "own.tf").write_text(
        'check "alerts" {\n'
        "  assert {\n"
        "    condition     = length(azurerm_monitor_metric_alert.this) == 0\n"
        '    error_message = "made: ${join(" ", keys(azurerm_monitor_metric_alert.this))}."\n'
        "  }\n"
        "}\n"
    )
    only(filled, "prod")
    _, said = run(terraform, provider, filled, "test")
    names = "AnswersSlow ErrorsHigh NodesUnusable QuotaNearlyUsed RequestsRefused RunsFailed"
    assert f"made: {names}." in said
