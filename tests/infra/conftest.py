"""A project whose infra/ is filled in, and a Terraform that needs no account and no download."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.infra import azurerm
from tests.rendering import ROOT

EXAMPLE = ROOT / "examples" / "credit-risk"
PYTHON = ["uv", "run", "-q", "--no-project", "--with", "tf==1.2.0", "python"]
PROVIDER = Path(__file__).with_name("provider.py")
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
SUBNET = f"{SUBSCRIPTION}/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
GITHUB = "repo:contoso/credit-risk:environment:"


@pytest.fixture(scope="session")
def terraform() -> str:
    """The program. No index that the tests may use has it, so a machine must bring it."""
    found = shutil.which("terraform")
    if found is None:
        pytest.fail("`terraform` is not on PATH; install 1.11: CONTRIBUTING.md says why and how")
    return found


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running provider; returns the variables with which Terraform finds it."""
    command = [*PYTHON, "-u", str(PROVIDER), str(azurerm.FILE), "--dev"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = next(line for line in process.stdout if "TF_REATTACH_PROVIDERS" in line)
    found = re.search(r"TF_REATTACH_PROVIDERS='(.*)'", line)
    assert found
    server = json.loads(found[1])["registry.terraform.io/hashicorp/azurerm"]["Pid"]
    settings = tmp_path_factory.mktemp("terraform") / "terraformrc"
    settings.touch()  # not that of this machine
    yield {"TF_REATTACH_PROVIDERS": found[1], "TF_CLI_CONFIG_FILE": str(settings)}
    os.kill(server, 15)
    process.wait()
    process.stdout.close()


def fill(root: Path) -> None:
    """Groups, subjects and subnets, as a team enters them."""
    team = yaml.safe_load((root / "conf" / "team.yml").read_text())
    for number, member in enumerate(team["roles"].values(), start=1):
        member["group"] = f"00000000-0000-0000-0000-0000000000{number:02}"
    team["ci"]["subjects"] = {job: f"{GITHUB}{job}" for job in ("dev", "share", "staging", "prod")}
    (root / "conf" / "team.yml").write_text(yaml.safe_dump(team, sort_keys=False))
    for environment in ("staging", "prod"):
        file = root / "conf" / f"{environment}.yml"
        events = f"events: {{github: contoso/credit-risk, subnet: {SUBNET}}}"
        change(file, "infra: {", f"infra: {{subnet: {SUBNET}, {events}, ")
    pipelines = "{azure_devops: contoso/loans, pipelines: {retrain: 12, test: 13}}"
    change(root / "conf" / "dev.yml", "infra: {", f"infra: {{events: {pipelines}, ")


def change(file: Path, old: str, new: str) -> None:
    """Replace what stands once in a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file}: {old!r} stands {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """What a new project has: no group, no subnet, no subject."""
    root = tmp_path / "project"
    for folder in ("conf", "infra", "azureml/compute"):
        shutil.copytree(EXAMPLE / folder, root / folder)
    return root


@pytest.fixture
def filled(fresh: Path) -> Path:
    """The same with everything that a team enters."""
    fill(fresh)
    return fresh
