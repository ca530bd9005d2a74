"""Both platforms do the same: triggers, tasks in order, environments, approvals."""

import tomllib
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.render.conftest import COMBINATIONS, name_of
from tests.render.flows import Flow, Step, flows

ANSWERS = {"task": "classification", "serving": "both", "regulated": False}
CLOUD = {"train", "deliver", "retrain", "rollback", "infra", "offline-test"}
DEV_ONLY = ("submit", "azure-retrain", "azure-test", "candidate")
EVERYWHERE = {"ci", "publish", "template-update"}


def both(rendered: Callable[..., Project], cloud: str) -> list[list[Flow]]:
    """The jobs of GitHub, and those of Azure."""
    return [
        flows(rendered({**ANSWERS, "ci": ci, "cloud": cloud})) for ci in ("github", "azure-devops")
    ]


@pytest.mark.parametrize("cloud", ["azureml", "none"])
def test_both_platforms_do_the_same(rendered: Callable[..., Project], cloud: str) -> None:
    github, azure = both(rendered, cloud)
    assert [_comparable(flow) for flow in github] == [_comparable(flow) for flow in azure]
    wanted = EVERYWHERE | (CLOUD if cloud == "azureml" else set())
    assert {flow.workflow for flow in github} == wanted


def _comparable(flow: Flow) -> tuple[object, ...]:
    """A job's own name is the platform's affair where its workflow has no other."""
    return (flow.workflow, flow.triggers, flow.steps, flow.environment, flow.approval, flow.needs)


@pytest.mark.parametrize("ci", ["github", "azure-devops"])
def test_what_the_workflows_do(rendered: Callable[..., Project], ci: str) -> None:
    found = {
        (flow.workflow, flow.job): flow
        for flow in flows(rendered({**ANSWERS, "ci": ci, "cloud": "azureml"}))
    }
    tasks = [step.task for step in found["ci", "checks"].steps]
    assert tasks == ["hooks", "check", "audit", "test", "template-check"]
    model = found["ci", "model"].steps
    assert [step.task for step in model] == ["pipeline", "ethics", "report", "summary"]
    assert [step.when for step in model] == ["success", "success", "always", "always"]
    assert found["ci", "comment"].steps == (Step("summary --comment"),)
    order = ["train", "share", "staging", "production"]
    delivered = [found["deliver", job] for job in order]
    assert [flow.environment for flow in delivered] == ["dev", "share", "staging", "prod"]
    assert [flow.approval for flow in delivered] == [False, False, False, True]
    assert delivered[-2].steps == (
        Step('deploy "$VERSION" --env staging'),
        Step("azure-contracts --env staging"),
        Step("rollout --env staging"),
        Step("rollout --env staging --abort", "failure"),
    )
    assert delivered[-1].steps == (
        Step('deploy "$VERSION" --env prod'),
        Step("rollout --env prod --hold 600"),
        Step("rollout --env prod --abort", "failure"),
    )
    assert found["retrain", "retrain"].steps == (
        Step('azure-retrain --env dev --why "$WHY" --event "$EVENT"'),
    )
    assert found["offline-test", "test"].steps == (Step('azure-test "$VERSION" --env dev'),)
    infra = [found["infra", job] for job in ("plan", "apply", "production")]
    assert [flow.environment for flow in infra] == ["infra-plan", "infra", "infra-prod"]
    assert [flow.approval for flow in infra] == [False, False, True]
    applied = [step.task for flow in infra for step in flow.steps if "apply" in step.task]
    assert applied == [f"infra-apply --env {name}" for name in ("dev", "staging", "prod")]
    assert all(job in later.needs for job, later in zip(order[1:], delivered[2:], strict=False))


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name_of)
def test_each_task_is_one_of_the_project(
    rendered: Callable[..., Project], answers: dict[str, object]
) -> None:
    project = rendered(answers)
    tasks = tomllib.loads(project.read("poe_tasks.toml"))["tool"]["poe"]["tasks"]
    used = {step.task.split()[0] for flow in flows(project) for step in flow.steps}
    missing = used - set(tasks)
    assert missing == set()
    assert len(used) >= 11
    azure = [name for name, task in tasks.items() if "mlops azure" in str(task)]
    assert bool(azure) == (answers["cloud"] == "azureml"), azure


def test_no_way_leads_past_staging_and_approval(rendered: Callable[..., Project]) -> None:
    """What trains never touches prod, and what deploys there has been in staging."""
    for flow in both(rendered, "azureml")[0]:
        tasks = [step.task for step in flow.steps]
        if any(task.startswith(DEV_ONLY) for task in tasks):
            assert flow.environment == "dev"
        # Dev's identity may only read the registry: one job of `deliver` alone carries over.
        shares = any(task.startswith("share ") for task in tasks)
        assert shares == (flow.environment == "share")
        if flow.environment == "prod":
            assert flow.approval
            assert flow.workflow == "rollback" or "staging" in flow.needs
