"""The workflows at work: each job's commands, as they stand there, in rendered projects."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import pytest

from package.tests import services
from tests.conftest import Project
from tests.project import edits, service
from tests.project.service import Service
from tests.rendering import commit_all, copy_template

CREDIT = {"project_name": "Credit Risk"}
MATRIX = [
    pytest.param({**CREDIT, "ci": "github", "serving": "both"}, id="github-both"),
    pytest.param({**CREDIT, "ci": "azure-devops", "serving": "batch"}, id="azure-devops-batch"),
]
# That both platforms run the same commands under the same conditions is held by test_parity.py;
# what they do is the same, whoever runs them.
ONE_IS_ENOUGH = pytest.mark.parametrize("ci", MATRIX[:1], indirect=True)
THE_OTHER = pytest.mark.parametrize("ci", MATRIX[1:], indirect=True)
EVERYTHING = ["train", "share", "staging", "production"]
# Learns too little, into files as large as the others': only the metric tells the two apart.
WEAK = {"learning_rate": 0.001, "max_depth": 1}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the template, as `template-check` needs it."""
    folder = copy_template(tmp_path_factory.mktemp("flows") / "template")
    commit_all(folder, "Release")
    subprocess.run(["git", "tag", "v2.0.0"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def new(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Project, dict[str, Any]]]:
    """Gives a new project, synced and committed, and its Azure; for reading only."""
    made: dict[str, tuple[Project, dict[str, Any]]] = {}

    def make(answers: dict[str, Any]) -> tuple[Project, dict[str, Any]]:
        if answers["ci"] not in made:
            folder = tmp_path_factory.mktemp("new")
            project = Project(folder / "project")
            copier.run_copy(str(template), project.path, data=answers, defaults=True, quiet=True)
            (project.path / "conf" / "stage.yml").unlink()  # as before: nobody decides on a stage
            project.run("uv", "sync", "--quiet")
            commit_all(project.path, "Start")
            made[answers["ci"]] = (project, service.set_up(project, folder / "service"))
        return made[answers["ci"]]

    return make


@pytest.fixture(params=MATRIX)
def ci(request: pytest.FixtureRequest, new: Callable[..., Any], tmp_path: Path) -> Service:
    """A service for a project of the test's own."""
    kept, azure = new(request.param)
    project = Project(shutil.copytree(kept.path, tmp_path / "project"))
    return service.start(project, tmp_path / "service", azure)


def serves(ci: Service, environment: str) -> set[str]:
    """The versions that answer all requests, online and in batches."""
    state = ci.scenario.state()
    colours = [
        (kind, endpoint, colour)
        for kind in ("online", "batch")
        for name, endpoint in state[kind].items()
        if f"-{environment}" in name
        for colour in (endpoint.get("traffic") or {endpoint["defaults"]["deployment_name"]: 100})
    ]
    assert all(len(endpoint.get("traffic", {})) <= 1 for _, endpoint, _ in colours)
    models = [endpoint["deployments"][colour]["model"] for _, endpoint, colour in colours]
    return {model.rpartition("/")[2].rpartition(":")[2] for model in models}


def trainings(ci: Service) -> list[str]:
    """Why each training in Azure began."""
    inputs = [job["spec"]["inputs"] for job in ci.scenario.state()["jobs"].values()]
    return [given["trigger"] for given in inputs if "trigger" in given]


def flow(ci: Service, workflow: str, job: str) -> service.Flow:
    """One job of a workflow."""
    (found,) = [
        flow for flow in service.flows(ci.project) if (flow.workflow, flow.job) == (workflow, job)
    ]
    return found


def commented_once(ci: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run CI's last job, and look for its comment on the pull request."""
    with services.serve() as host:
        if ci.project.has(".github"):
            services.as_github(host, monkeypatch, ci.folder)
        else:
            services.as_azure(host, monkeypatch)
        assert ci.job(flow(ci, "ci", "comment"), {}) == "success", ci.said
        written = [each["body"] for each in host.comments]
        written += [each.get("content") for thread in host.threads for each in thread["comments"]]
    assert sum("| gate | verdict | |" in (text or "") for text in written) == 1


@ONE_IS_ENOUGH
def test_ci_leaves_report_evidence_and_a_comment(
    ci: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.no_ci(monkeypatch)
    assert ci.workflow("ci", without="comment") == ["checks", "model"]
    assert ci.ran == [
        *("hooks", "check", "audit", "test", "template-check"),
        *("pipeline", "ethics", "report", "summary"),
    ]
    outputs = ci.project.path / "outputs"
    assert "<html" in (outputs / "report.html").read_text()
    assert "| gate | verdict | |" in (outputs / "summary.md").read_text()
    assert ci.project.has(f"{ci.project.last()}/compare/evidence/comparison.json")
    assert [each["role"] for each in ci.project.models()] == ["challenger"]
    commented_once(ci, monkeypatch)


@THE_OTHER
def test_ci_leaves_a_comment(ci: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    services.no_ci(monkeypatch)
    for task in ("audit", "template-check", "pipeline", "summary"):
        assert ci.step(service.Step(task), {}) == 0, ci.said
    commented_once(ci, monkeypatch)


@ONE_IS_ENOUGH
def test_a_failed_gate_leaves_its_report(ci: Service) -> None:
    edits.stage(ci.project, "develop")
    edits.limits(ci.project, roc_auc=0.99)
    assert ci.job(flow(ci, "ci", "model"), {}) == "failure"
    assert ci.ran == ["pipeline", "report", "summary"]
    assert "FAILED" in (ci.project.path / "outputs" / "summary.md").read_text()
    assert (ci.project.path / "outputs" / "report.html").is_file()


@THE_OTHER
def test_the_version_is_handed_to_the_jobs_after_it(ci: Service) -> None:
    train = flow(ci, "deliver", "train")
    assert ci.job(train, {}) == "success", ci.said
    assert ci.values == {"version": "1"}
    models = ci.scenario.state()["models"]
    models["1"]["tags"]["role"] = "champion"  # as if it had been delivered
    ci.scenario.change(models=models)
    assert ci.job(train, {}) == "success", ci.said
    assert ci.values == {"version": ""}
    assert trainings(ci) == ["manual"]


@ONE_IS_ENOUGH
def test_from_main_to_production_twice_and_back(ci: Service) -> None:
    edits.stage(ci.project, "develop")  # from here on, production asks for the ethics
    edits.limits(ci.project, roc_auc=0.55, accuracy=0.6)  # the weak one passes, too
    edits.quick_ethics(ci.project)
    edits.parameters(ci.project, **WEAK)
    assert ci.workflow("deliver") == EVERYTHING
    assert ci.values == {"version": "1"}
    assert (serves(ci, "staging"), serves(ci, "prod")) == ({"1"}, {"1"})
    assert ci.scenario.roles() == {"1": "champion"}
    registry = ci.scenario.state()["registries"][service.REGISTRY]
    assert registry["1"]["tags"]["ethics"] == "passed"
    assert (ci.project.path / "outputs" / "ethics" / "bundle.zip").is_file()

    assert ci.workflow("deliver") == ["train"]
    assert ci.values == {"version": ""}
    assert trainings(ci) == ["manual"]

    subprocess.run(
        ["git", "checkout", "--quiet", "HEAD~1", "--", "conf/train.yml"],
        cwd=ci.project.path,
        check=True,
    )
    commit_all(ci.project.path, "The parameters of before")
    # So soon after that a machine may not train again; a person may.
    drift = {"WHY": "", "EVENT": "drift in income"}
    assert ci.job(flow(ci, "retrain", "retrain"), drift) == "failure"
    assert "You can start one at any time: `uv run mlops azure retrain --why REASON`" in " ".join(
        ci.said.split()
    )
    assert ci.workflow("retrain", **drift | {"WHY": "new income data"}) == ["retrain"]
    assert ci.scenario.roles("dev") == {"1": "champion", "2": "challenger"}
    assert serves(ci, "prod") == {"1"}  # a training alone changes nothing there
    assert trainings(ci) == ["manual", "new income data"]

    # A delivery trains for a reason of its own.
    assert ci.workflow("deliver") == EVERYTHING
    assert ci.values == {"version": "3"}
    assert (serves(ci, "staging"), serves(ci, "prod")) == ({"3"}, {"3"})
    assert ci.scenario.roles() == {"1": "archived", "3": "champion"}

    assert ci.workflow("rollback", WHY="complaints since Monday") == ["rollback"]
    assert serves(ci, "prod") == {"1"}
    assert ci.scenario.roles() == {"1": "champion", "3": "rolled_back"}
    registry = ci.scenario.state()["registries"][service.REGISTRY]
    assert "complaints since Monday" in registry["3"]["tags"]["role_why"]


@ONE_IS_ENOUGH
def test_ethics_that_say_no_end_the_delivery(ci: Service) -> None:
    edits.stage(ci.project, "develop")
    ci.project.write("src/credit_risk/old.py", "import pickle\n\npickle.load(open('old.pkl'))\n")
    commit_all(ci.project.path, "Read the old models")
    assert ci.job(flow(ci, "deliver", "train"), {}) == "success", ci.said
    assert ci.values == {"version": "1"}
    assert ci.job(flow(ci, "deliver", "share"), {}) == "failure"
    assert ci.ran[-1] == 'azure-ethics "$VERSION" --env dev'
    assert "1 of 40 checks block this version" in " ".join(ci.said.split())
    assert "old.py" in ci.said
    assert (ci.project.path / "outputs" / "ethics" / "bundle.zip").is_file()
    assert ci.scenario.roles("dev") == {"1": "challenger"}
    assert ci.scenario.roles() == {}


@ONE_IS_ENOUGH
def test_a_broken_neighbour_stops_a_delivery_in_staging(ci: Service, tmp_path: Path) -> None:
    assert ci.job(flow(ci, "deliver", "train"), {}) == "success", ci.said
    assert ci.step(service.Step('share "$VERSION" --env dev'), {}) == 0, ci.said
    staging = flow(ci, "deliver", "staging")
    ran = ["deploy ", "azure-contracts ", "rollout --env staging --abort"]

    def stops() -> None:
        ci.ran.clear()
        assert ci.job(staging, {}) == "failure"
        assert [task.startswith(name) for task, name in zip(ci.ran, ran, strict=True)] == [True] * 3
        endpoints = ci.scenario.state()
        for name, endpoint in (endpoints["online"] | endpoints["batch"]).items():
            assert "-staging" not in name or not (
                endpoint.get("traffic") or endpoint.get("defaults")
            )

    (file,) = (ci.project.path / "data" / "raw").glob("*.csv")
    columns, *rows = file.read_text().splitlines(keepends=True)
    (tmp_path / "delivered").mkdir()
    (tmp_path / "delivered" / file.name).write_text(columns.replace("income", "incom") + rows[0])
    ci.delivered = tmp_path / "delivered"
    stops()
    ci.delivered = file.parent
    if ci.project.has("conf/consumers.yml"):
        good = ci.project.read("conf/consumers.yml")
        ci.project.write("conf/consumers.yml", good.replace("0.label", "0.score"))
        stops()
        ci.project.write("conf/consumers.yml", good)
    assert ci.job(staging, {}) == "success", ci.said
    assert serves(ci, "staging") == {"1"}


@ONE_IS_ENOUGH
def test_nothing_is_trained_or_shared_in_production(ci: Service) -> None:
    for task, reason in (
        ("submit pipelines/train.yml --env prod", "which is only possible in dev: prod "),
        ("submit pipelines/train.yml --env staging", "which is only possible in dev: staging "),
        ("share 1 --env prod", "versions are shared from dev"),
    ):
        assert ci.step(service.Step(task), {}) == 2
        assert reason in ci.said
    assert ci.scenario.state()["jobs"] == {}
    assert ci.scenario.roles() == {}
