"""`infra-*`: what `terraform` and `az` get; tests/infra runs the real Terraform on the files."""

import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml
from azure.ai.ml import load_registry
from mlops_platform.azure import function

from package.tests.azure.scenarios import NAME, PROJECT, REGISTRY, SUBNET, refusal

GROUP = f"rg-{NAME}-shared"


@pytest.fixture
def made(bare, terraform):
    """A scenario whose Terraform makes things."""
    terraform.scenario = bare
    return bare


CHECK = ["init", "fmt", "validate", "test"]


def verbs(terraform) -> list[str]:
    """The commands of Terraform, without their options."""
    return [call[1] for call in terraform.calls]


def test_check_needs_no_account(mlops, made, terraform):
    assert mlops(made, "infra-check") == "done"
    assert verbs(terraform) == CHECK
    assert "-backend=false" in terraform.calls[0]
    assert made.calls() == []


def test_a_plan_reads_the_state_of_its_environment_and_changes_nothing(mlops, made, terraform):
    assert mlops(made, "infra-plan", "--env", "prod") == "done"
    assert verbs(terraform) == [*CHECK, "init", "plan"]
    init, plan = terraform.calls[-2:]
    assert init[0] == "-chdir=infra"
    backend = dict(option.split("=", 2)[1:] for option in init if option.startswith("-backend-"))
    assert backend == {
        "resource_group_name": GROUP,
        "storage_account_name": "stcreditrisktf",
        "container_name": "prod",
        "key": f"{NAME}.tfstate",
        "use_azuread_auth": "true",
    }
    assert plan[-2:] == ["-lock=false", "-var=environment=prod"]
    assert made.history() == []
    assert made.state()["registries"] == {}


def test_the_subscription_is_that_of_az_unless_one_is_named(
    mlops, made, terraform, monkeypatch: pytest.MonkeyPatch
):
    assert mlops(made, "infra-plan") == "done"
    chosen = terraform.environments[-1]
    assert chosen["ARM_SUBSCRIPTION_ID"] == "00000000-0000-0000-0000-000000000001"
    assert chosen["TF_DATA_DIR"].endswith("/.mlops/terraform/dev")
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", "another")
    assert mlops(made, "infra-plan") == "done"
    assert terraform.environments[-1]["ARM_SUBSCRIPTION_ID"] == "another"


def test_apply_makes_what_terraform_cannot_and_a_second_time_nothing(mlops, made, terraform):
    assert mlops(made, "infra-apply") == "done"
    assert verbs(terraform) == [*CHECK, "init", "apply"]
    assert list(made.state()["registries"]) == [REGISTRY]
    assert made.state()["keyless"] == {f"mlw-{NAME}-dev": "identity"}
    before = len(made.history())
    assert mlops(made, "infra-apply") == "done"
    assert len(made.history()) == before


def tell(made) -> None:
    """Name a repository that events are told to."""
    file = made.root / "conf" / "dev.yml"
    text = file.read_text()
    assert "infra: {" in text
    file.write_text(text.replace("infra: {", "infra: {events: {github: contoso/loans}, "))
    shutil.copytree(PROJECT / "vendor", made.root / "vendor")


def test_the_function_is_deployed_where_conf_says_whom_it_tells(mlops, made):
    made.change(functions={"func-a": {"AzureWebJobsStorage": ""}, "other": {}})
    assert mlops(made, "infra-apply") == "done"
    assert made.state()["functions"]["func-a"] == {"AzureWebJobsStorage": ""}
    tell(made)
    assert mlops(made, "infra-apply") == "done"
    (app,) = (made.state()["functions"][name] for name in ("func-a",))
    assert list(app) == ["package"]
    assert made.state()["functions"]["other"] == {}
    before = len(made.history())
    assert mlops(made, "infra-apply") == "done"
    assert len(made.history()) == before


def test_a_function_that_is_not_there_is_named(mlops, made):
    tell(made)
    assert mlops(made, "infra-apply") == "error"
    assert "field `infra.events`: rg-credit-risk-dev has 0 functions" in str(mlops.error)
    shutil.rmtree(made.root / "vendor")
    assert mlops(made, "infra-apply") == "error"
    assert "vendor/: has no wheel of the platform package" in str(mlops.error)


def test_the_functions_package_needs_no_library(made, tmp_path):
    """In a Python without any, except for what Azure's host brings."""
    tell(made)
    with zipfile.ZipFile(function.build(made.root)) as package:
        package.extractall(tmp_path / "app")
        assert {"function_app.py", "host.json"} < set(package.namelist())
    libraries = tmp_path / "app" / function.LIBRARIES
    asked = (
        "import sys; sys.path.insert(0, sys.argv[1]); from mlops_platform.events import dispatch"
    )
    code = (
        f"{asked}; print(dispatch.__file__, [name for name in sys.modules if 'pydantic' in name])"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(libraries)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(libraries)), done.stderr
    assert done.stdout.endswith(" []\n")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("{}", "write `github: OWNER/REPOSITORY` or `azure_devops: ORG/PROJECT`"),
        ("{github: a/b, azure_devops: a/b}", "write `github: OWNER/REPOSITORY` or"),
        ("{azure_devops: a/b, pipelines: {retrain: 1}}", "needs `pipelines: {retrain: ID, test:"),
        ("{github: loans}", "field `infra.events.github`"),
    ],
)
def test_whom_a_function_tells_is_checked(mlops, made, fields, message):
    file = made.root / "conf" / "dev.yml"
    file.write_text(file.read_text().replace("infra: {", f"infra: {{events: {fields}, "))
    assert message in refusal(mlops, made, "infra-plan")


def test_a_private_function_needs_a_subnet_of_its_own(mlops, made):
    file = made.root / "conf" / "prod.yml"
    file.write_text(file.read_text().replace("infra: {", "infra: {events: {github: a/b}, "))
    message = refusal(mlops, made, "infra-plan", "--env", "prod")
    assert "`infra.events` needs `subnet`, as `network` is not public" in message


def test_the_registry_is_one_that_azure_ml_reads(mlops, made):
    assert mlops(made, "infra-apply") == "done"
    registry = load_registry(made.root / ".mlops" / "terraform" / "registry.yml")
    assert registry.name == REGISTRY
    assert registry.public_network_access == "Enabled"  # dev is public
    assert [each.location for each in registry.replication_locations] == ["westeurope"]
    call = next(call for call in made.calls() if call[:3] == ["ml", "registry", "create"])
    assert call[call.index("--resource-group") + 1] == GROUP


def test_production_is_applied_by_ci_alone(mlops, made, terraform, monkeypatch):
    assert "production is applied by CI" in refusal(mlops, made, "infra-apply", "--env", "prod")
    assert terraform.calls == []
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert mlops(made, "infra-apply", "--env", "prod") == "done"
    assert verbs(terraform) == [*CHECK, "init", "apply"]


def test_ci_takes_the_committed_lock(mlops, made, terraform, monkeypatch):
    (made.root / "infra").mkdir(exist_ok=True)
    (made.root / "infra" / ".terraform.lock.hcl").touch()
    assert mlops(made, "infra-check") == "done"
    assert "-lockfile=readonly" not in terraform.calls[0]
    monkeypatch.setenv("CI", "true")
    assert mlops(made, "infra-check") == "done"
    assert "-lockfile=readonly" in terraform.calls[4]


def test_a_private_environment_needs_a_subnet(mlops, made, terraform):
    file = made.root / "conf" / "prod.yml"
    file.write_text(file.read_text().replace(f"subnet: {SUBNET}, ", ""))
    assert "field `infra.subnet`: is missing" in refusal(mlops, made, "infra-plan", "--env", "prod")
    assert terraform.calls == []


def test_a_failure_of_terraform_ends_the_command(mlops, made, terraform):
    terraform.fails = "init"
    assert "`terraform init` failed in infra" in refusal(mlops, made, "infra-apply")
    assert made.state()["registries"] == {}


def test_nothing_is_applied_that_breaks_a_rule(mlops, made, terraform):
    terraform.fails = "test"
    assert "`terraform test` failed in infra" in refusal(mlops, made, "infra-apply")
    assert verbs(terraform) == CHECK


def test_without_terraform_it_is_named(mlops, made, monkeypatch):
    monkeypatch.setattr("mlops_platform.azure.infra.shutil.which", lambda name: None)
    assert "`terraform` is not installed" in refusal(mlops, made, "infra-check")


def test_a_project_of_before_goes_on(mlops, new, terraform):
    assert mlops(new, "infra-check") == "done"
    assert terraform.calls == []
    assert "field `infra`: is missing" in refusal(mlops, new, "infra-plan")
    assert mlops(new, "setup") == "done"
    assert list(new.state()["computes"]) == [f"mlw-{NAME}-dev:cpu"]


def test_all_environments_have_infra_or_none(mlops, made):
    file = made.root / "conf" / "staging.yml"
    content = yaml.safe_load(file.read_text())
    del content["infra"]
    file.write_text(yaml.safe_dump(content))
    assert "staging.yml, field `infra`: is missing" in refusal(mlops, made, "infra-check")


def test_setup_leaves_the_cluster_to_infra(mlops, made, terraform):
    made.change(workspaces=[f"mlw-{NAME}-dev"], registries={REGISTRY: {}})
    assert "run `uv run mlops azure infra-apply --env dev`" in refusal(mlops, made, "setup")
    assert mlops(made, "infra-apply") == "done"
    assert mlops(made, "setup") == "done"
    assert not [call for call in made.calls() if call[1:3] == ["compute", "create"]]
