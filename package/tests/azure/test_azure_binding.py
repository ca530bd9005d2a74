"""A version in Azure is bound to its model: another model is not shared, deployed or restored."""

from pathlib import Path

import pytest
from mlops_platform.serving import store
from mlops_platform.tracking import binding

from package.tests.azure import scenarios
from package.tests.azure.scenarios import REGISTRY, Runner, Scenario


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The files of a model, as Azure keeps them."""
    folder = tmp_path / "kept" / "model"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    (folder / "model.skops").write_bytes(b"weights")
    return folder


def bound(scenario: Scenario, model: Path, number: str) -> Scenario:
    """Give a version in each place the hash of this model."""
    state = scenario.state()
    for versions in (state["models"], state["registries"][REGISTRY]):
        if number in versions:
            versions[number]["tags"]["model_hash"] = binding.hash_model(model)
    scenario.change(**state | {"files": {number: str(model)}})
    return scenario


def test_a_version_is_shared_with_its_hash(mlops: Runner, trained: Scenario, model: Path):
    bound(trained, model, "1")
    assert mlops(trained, "share", "1", "--env", "dev") == "done"
    shared = trained.state()["registries"][REGISTRY]["1"]["tags"]
    assert shared["model_hash"] == binding.hash_model(model)


def test_a_deployment_gets_the_hash_and_what_is_trusted(
    mlops: Runner, serving: Scenario, model: Path
):
    project = serving.root / "conf" / "project.yml"
    project.write_text(project.read_text() + "trusted: [credit_risk.features.build]\n")
    bound(serving, model, "2")
    assert mlops(serving, "deploy", "2", "--env", "prod") == "done"
    for kind, name in (("online", "credit-risk-prod"), ("batch", "credit-risk-prod-b")):
        variables = serving.state()[kind][name]["deployments"]["green"]["environment_variables"]
        assert variables[store.HASH] == binding.hash_model(model)
        assert variables[store.TRUSTED] == "credit_risk.features.build"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("trained", ("share", "1", "--env", "dev")),
        ("serving", ("deploy", "2", "--env", "prod")),
        ("replaced", ("rollback", "--why", "complaints", "--env", "prod")),
    ],
    ids=["share", "deploy", "rollback"],
)
def test_another_model_is_refused_before_anything_changes(
    mlops: Runner, request, model: Path, moment, words
):
    number = "2" if words[0] == "deploy" else "1"
    scenario = bound(request.getfixturevalue(moment), model, number)
    registered = binding.hash_model(model)
    (model / "model.skops").write_bytes(b"other weights")
    said = scenarios.refusal(mlops, scenario, *words)
    assert f"version {number}: its model is not the one that was registered" in said
    assert f"registered was {registered}. Somebody changed it in the " in said


def test_a_number_that_is_taken_by_another_model_is_not_shared(
    mlops: Runner, trained: Scenario, model: Path
):
    trained.change(registries={REGISTRY: scenarios.version("1", "champion")})
    bound(trained, model, "1")
    state = trained.state()
    state["registries"][REGISTRY]["1"]["tags"]["model_hash"] = "0" * 64
    trained.change(**state)
    said = scenarios.refusal(mlops, trained, "share", "1", "--env", "dev")
    assert "already has another version 1: its `model_hash` is 0000" in said
