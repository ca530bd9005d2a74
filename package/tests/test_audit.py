"""The audit of CI's files: both services, every form that Azure Pipelines takes, no traceback."""

from pathlib import Path

import pytest
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import audit
from mlops_platform.delivery.audit import pipelines

GITHUB = """\
on: {workflow_dispatch: {}}
permissions: {}
concurrency: {group: one, cancel-in-progress: true}
jobs:
  one:
    name: One
    runs-on: ubuntu-24.04
    steps:
      - run: echo hello
"""
JOB = "jobs:\n- job: one\n  timeoutInMinutes: 5\n  steps:\n"
STEP = "  - script: echo hello\n"
UV = "steps:\n- script: echo uv\n"


def write(root: Path, **files: str) -> Path:
    """Azure's files, each named without its ending; returns their folder."""
    for name, text in files.items():
        path = root / ".azuredevops" / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / ".azuredevops"


def github(root: Path, text: str = GITHUB) -> None:
    (root / ".github" / "workflows").mkdir(parents=True)
    (root / ".github" / "workflows" / "ci.yml").write_text(text)


def test_both_services_are_audited(tmp_path: Path) -> None:
    github(tmp_path)
    write(tmp_path, ci=JOB + STEP)
    assert audit.run(tmp_path) == [".github has no problems", ".azuredevops has no problems"]


def test_the_faults_of_both_services_are_told(tmp_path: Path) -> None:
    github(tmp_path, GITHUB.replace("echo hello", "echo ${{ github.head_ref }}"))
    write(tmp_path, bad=JOB + "  - checkout: self\n    persistCredentials: true\n")
    with pytest.raises(GateError) as failed:
        audit.run(tmp_path)
    assert "persistCredentials" in str(failed.value)
    assert "template-injection" in str(failed.value)


def test_a_file_that_ends_in_yaml_is_audited(tmp_path: Path) -> None:
    write(tmp_path, ci=JOB + "  - script: echo $WHAT\n")
    (tmp_path / ".azuredevops/ci.yml").rename(tmp_path / ".azuredevops/ci.yaml")
    with pytest.raises(GateError, match=r"ci\.yaml: one: .*\$WHAT"):
        audit.run(tmp_path)


def test_parameters_may_be_a_mapping_of_names_to_defaults(tmp_path: Path) -> None:
    template = "parameters: {name: y, other: }\nsteps:\n- script: echo\n  env:\n"
    template += "    A: ${{ parameters.name }}\n    B: ${{ parameters.other }}\n"
    use = "  - template: steps.yml\n    parameters: {name: x}\n"
    assert pipelines.check(write(tmp_path, ci=JOB + use, steps=template)).problems == []
    wrong = JOB + use.replace("name: x", "nam: x")
    assert pipelines.check(write(tmp_path, ci=wrong)).problems == [
        ".azuredevops/ci.yml: steps.yml has no parameter `nam`."
    ]


# What stands in ci.yml, and what is said of it.
SHAPES = [
    ("parameters: 3\n" + JOB + STEP, "`parameters` is `3`"),
    ("parameters: [x]\n" + JOB + STEP, "`parameters`, entry 1 has no name"),
    ("parameters: [null]\n" + JOB + STEP, "`parameters`, entry 1 has no name"),
    ("parameters: [{name: [x]}]\n" + JOB + STEP, "`parameters`, entry 1 has no name"),
    ("parameters: [{name: x, values: 3}]\n" + JOB + STEP, "entry 1: `values` is not a list"),
    ("variables: 3\n" + JOB + STEP, "`variables` is `3`"),
    ("variables: [x]\n" + JOB + STEP, "`variables`, entry 1 is `x`"),
    ("stages: 3\n", "`stages` is `3`; write a list, each entry a stage"),
    ("stages: [x]\n", "`stages`, entry 1 is `x`"),
    ("stages: {a: b}\n", "`stages` is a mapping"),
    ("stages: [{stage: a, jobs: [null]}]\n", "`stages[1].jobs`, entry 1 is empty"),
    ("jobs: [3]\n", "`jobs`, entry 1 is `3`"),
    ("jobs: [[x]]\n", "`jobs`, entry 1 is a list"),
    ("jobs:\n", "there are no jobs"),
    ("stages: [{stage: a}]\n", "stage a: there are no jobs"),
    (JOB + "  - x\n", "`jobs[1].steps`, entry 1 is `x`"),
    (JOB + "  -\n", "`jobs[1].steps`, entry 1 is empty"),
    (JOB + "  - script: x\n    env: [[A]]\n", "`jobs[1].steps[1].env` is a list"),
    (JOB + "  - task: X@1\n    inputs: 3\n", "`jobs[1].steps[1].inputs` is `3`"),
    (JOB + STEP + "  dependsOn: {a: b}\n", "`jobs[1].dependsOn` is a mapping"),
    (JOB + STEP + "  dependsOn: [null]\n", "`jobs[1].dependsOn` is empty"),
    (JOB + STEP + "  dependsOn: 3\n", "depends on `3`"),
    ("jobs: [{deployment: a, timeoutInMinutes: 5, strategy: 3}]", "`jobs[1].strategy` is `3`"),
    (
        "jobs: [{deployment: a, timeoutInMinutes: 5, strategy: {runOnce: {deploy: {steps: 3}}}}]",
        "`jobs[1].strategy.runOnce.deploy.steps` is `3`",
    ),
    (JOB + "  - template:\n", "`template` is None"),
    (JOB + "  - template: uv.yml\n    parameters: 3\n", "`parameters` of uv.yml is `3`"),
    (JOB + "  - template: uv.yml\n    parameters: [x]\n", "`parameters` of uv.yml is a list"),
    (JOB + "  - template: ../../uv.yml\n", "no template `../../uv.yml`"),
    (JOB + "  - template: odd.yml\n", ".azuredevops/odd.yml: `steps`, entry 1 is `text`"),
    (JOB + "  - template: round.yml\n", "`round.yml` includes itself"),
    (JOB + "  - template: ci.yml\n", "`ci.yml` includes itself"),
    ("extends: 3\n", "`extends` names no template"),
]


@pytest.mark.parametrize(("text", "said"), SHAPES)
def test_a_wrong_shape_is_a_fault_with_its_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path.parent / "uv.yml").write_text(UV)
    again = "steps:\n- template: round.yml\n"
    folder = write(tmp_path, ci=text, uv=UV, odd="steps: [text]\n", round=again)
    found = pipelines.check(folder).problems
    assert any(fault.startswith(".azuredevops/") and said in fault for fault in found), found


@pytest.mark.parametrize(
    "steps",
    [
        "  - ${{ parameters.extra }}\n",
        "  - ${{ each step in parameters.extra }}:\n    - ${{ step }}\n",
        "  - script: echo $A\n    env: ${{ parameters.extra }}\n",
        "  - template: ${{ parameters.extra }}\n",
        "  - template: three.yml\n    parameters: {which: '${{ parameters.extra }}'}\n",
    ],
)
def test_what_only_a_run_decides_is_no_fault(tmp_path: Path, steps: str) -> None:
    three = "parameters: [{name: which, values: [a, b]}]\nsteps:\n- script: echo\n"
    three += "  displayName: ${{ parameters.which }}\n"
    write(
        tmp_path, three=three, other=JOB + "  - template: three.yml\n    parameters: {which: a}\n"
    )
    text = "parameters: [{name: extra, type: object, default: []}]\n" + JOB + steps
    assert pipelines.check(write(tmp_path, ci=text)).problems == []


def test_what_its_user_decides_is_looked_at(tmp_path: Path) -> None:
    template = "parameters: {file: }\nsteps:\n- template: ${{ parameters.file }}\n"
    use = "  - template: by.yml\n    parameters: {file: uv.yml}\n"
    write(tmp_path, ci=JOB + use, by=template, uv=UV)
    assert audit.run(tmp_path) == [".azuredevops has no problems"]


def test_steps_that_a_template_is_given_are_looked_at(tmp_path: Path) -> None:
    template = "parameters: {before: []}\nsteps:\n- ${{ parameters.before }}\n- script: echo\n"
    use = "  - template: uv.yml\n    parameters: {before: [{script: echo $WHAT}]}\n"
    (found,) = pipelines.check(write(tmp_path, ci=JOB + use, uv=template)).problems
    assert "uses $WHAT" in found


@pytest.mark.parametrize("name", ["/.azuredevops/steps/uv.yml", "uv.yml", "uv.yml@self"])
def test_a_template_is_named_from_the_root_or_from_its_user(tmp_path: Path, name: str) -> None:
    files = {"ci": JOB + "  - template: steps/first.yml\n", "steps__uv": UV}
    folder = write(tmp_path, **files, steps__first=f"steps:\n- template: {name}\n")
    assert pipelines.check(folder).problems == []
    write(tmp_path, steps__first=f"steps:\n- template: {name.replace('uv', 'uw')}\n")
    assert any("there is no template" in fault for fault in pipelines.check(folder).problems)


@pytest.mark.parametrize(
    "text",
    [
        "extends: {template: base.yml@shared}\n",
        "stages:\n- template: base.yml@shared\n- stage: own\n  dependsOn: theirs\n  jobs:\n"
        "  - job: one\n    timeoutInMinutes: 5\n    steps: [{script: echo}]\n",
        "jobs:\n- template: base.yml@shared\n" + JOB.removeprefix("jobs:\n") + STEP,
        "stages:\n- stage: one\n  jobs:\n  - template: base.yml@shared\n",
        JOB + "  - template: base.yml@shared\n",
        "variables:\n- template: base.yml@shared\n" + JOB + "  - script: echo $THEIRS\n",
    ],
)
def test_another_repository_is_not_looked_at_and_that_is_told(tmp_path: Path, text: str) -> None:
    write(tmp_path, ci=text)
    assert audit.run(tmp_path) == [
        ".azuredevops has no problems",
        "not checked: .azuredevops/ci.yml: `base.yml@shared`",
    ]


def test_beside_another_repositorys_template_the_own_steps_are_looked_at(tmp_path: Path) -> None:
    text = JOB + "  - template: base.yml@shared\n  - script: echo $WHAT\n"
    (found,) = pipelines.check(write(tmp_path, ci=text)).problems
    assert "uses $WHAT" in found


def test_a_template_of_this_repository_that_is_extended_is_looked_at(tmp_path: Path) -> None:
    text = "variables: {A: b}\nextends: {template: base.yml}\n"
    base = "variables: {C: d}\n" + JOB + "  - script: echo $A $C\n"
    assert pipelines.check(write(tmp_path, ci=text, base=base)).problems == []
    (found,) = pipelines.check(write(tmp_path, base=base.replace("$C", "$WHAT"))).problems
    assert "uses $WHAT" in found


@pytest.mark.parametrize("timeout", ["", "timeoutInMinutes: 5\n"])
def test_steps_outside_a_job_are_told_to_go_into_one(tmp_path: Path, timeout: str) -> None:
    (found,) = pipelines.check(write(tmp_path, ci=timeout + "steps:\n" + STEP)).problems
    assert "write `jobs:`, in it `- job: NAME` with `timeoutInMinutes: 20`" in found
    followed = "jobs:\n- job: NAME\n  timeoutInMinutes: 20\n  steps:\n" + STEP
    assert pipelines.check(write(tmp_path, ci=followed)).problems == []


def test_nothing_to_audit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is neither"):
        audit.run(tmp_path)
