"""Production takes what the model validator has certified, where infra/ makes the roles."""

import pytest
from azure.ai.ml.entities import Model

from package.tests.azure import scenarios
from package.tests.azure.scenarios import NAME, REGISTRY, refusal


@pytest.fixture
def shared(mlops, bare, terraform):
    """Version 1 is in the registry, and staging and production stand."""
    terraform.scenario = bare
    for environment in ("staging", "prod"):
        terraform.make(environment)
    bare.change(registries={REGISTRY: scenarios.version("1", "challenger")})
    for environment in ("staging", "prod"):
        assert mlops(bare, "setup", "--env", environment) == "done"
    return bare


def stage(scenario) -> str | None:
    """The stage of version 1 in the registry."""
    return scenario.state()["registries"][REGISTRY]["1"].get("stage")


def test_production_refuses_what_nobody_certified(mlops, shared):
    message = refusal(mlops, shared, "deploy", "1", "--env", "prod")
    assert "version 1 is not certified: its stage in registry mlr-credit-risk is not set" in message
    assert "`uv run mlops azure certify 1 --env prod`" in message


def test_what_the_validator_certified_is_deployed(mlops, shared):
    assert mlops(shared, "certify", "challenger") == "done"
    assert stage(shared) == "Production"
    before = len(shared.history())
    assert mlops(shared, "certify", "1") == "done"
    assert len(shared.history()) == before  # once is enough
    assert mlops(shared, "deploy", "1", "--env", "prod") == "done"


def test_what_was_withdrawn_is_deployed_nowhere(mlops, shared):
    assert mlops(shared, "certify", "1") == "done"
    assert mlops(shared, "certify", "1", "--withdraw") == "done"
    assert stage(shared) == "Archived"
    for environment in ("staging", "prod"):
        said = refusal(mlops, shared, "deploy", "1", "--env", environment)
        assert "is Archived" in said


def test_staging_shows_what_waits_for_the_certificate(mlops, shared):
    assert mlops(shared, "deploy", "1", "--env", "staging") == "done"


def test_a_rejected_version_gets_no_certificate(mlops, shared):
    shared.change(registries={REGISTRY: scenarios.version("1", "rejected")})
    assert "version 1 is rejected: planted" in refusal(mlops, shared, "certify", "1")


def test_dev_knows_no_certificate(mlops, shared):
    assert "dev deploys from its workspace" in refusal(
        mlops, shared, "certify", "1", "--env", "dev"
    )


def test_who_certifies_only_sets_the_stage(mlops, shared):
    """One change, of the one field that the right `assets/stage/write` is about."""
    tags = shared.state()["registries"][REGISTRY]["1"]["tags"]
    assert mlops(shared, "certify", "1") == "done"
    changes = [call for call in shared.calls() if call[1:3] == ["model", "update"]]
    assert len(changes) == 1
    assert changes[0][changes[0].index("--set") + 1] == "stage=Production"
    assert shared.state()["registries"][REGISTRY]["1"]["tags"] == tags
    assert "stage" in vars(Model(name=NAME, stage="Production"))  # Microsoft's own field


def test_without_infra_nobody_could_certify_so_nobody_must(mlops, new):
    new.change(registries={REGISTRY: scenarios.version("1", "challenger")})
    assert mlops(new, "setup", "--env", "prod") == "done"
    assert mlops(new, "deploy", "1", "--env", "prod") == "done"
