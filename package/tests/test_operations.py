"""Half a year of operations in half a minute: what is true changes, and the champion is replaced.

Read it from top to bottom: each step is what a person or a machine of the team runs. It needs no
network. `pytest -s` prints what they see.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform import dashboard
from mlops_platform.events import log

from package.tests.azure import scenarios
from package.tests.azure.scenarios import REGISTRY, SUBNET, Runner, Terraform, refusal
from package.tests.test_app import ROW
from package.tests.workspaces import Workspace

Mlops = Callable[..., tuple[int, str, str]]
TODAY = "2026-03-01"  # the outcomes of 2025 are known by then
FLIPPED = {"repaid": "defaulted", "defaulted": "repaid"}


def changed_loans() -> pd.DataFrame:
    """Loans of late 2025: customers are poorer, and what was a risk before is none now."""
    rows = sample.make(20_000, seed=7, drift=1)
    rows = rows[rows["month"] >= "2025-10"]
    return rows.assign(outcome=rows["outcome"].map(FLIPPED))


def deliver(rows: pd.DataFrame, folder: Path) -> None:
    """Rows as a file that another system delivers."""
    folder.mkdir()
    rows.to_csv(folder / "rows.csv", index=False)


@contextmanager
def served(project: Workspace) -> Iterator[httpx.Client]:
    """The champion behind its endpoint; yields a client of it."""
    command = [sys.executable, "-m", "mlops_platform", "serve", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=project.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        url = process.stderr.readline().split()[-1]
        transport = httpx.HTTPTransport(retries=20)  # it listens a moment later
        with httpx.Client(base_url=url, transport=transport) as client:
            assert client.get("/ready").status_code == 200
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=60)


def version(client: httpx.Client) -> str:
    """The version that answers a request."""
    answer: dict[str, str] = client.post("/score", json={"rows": [ROW]}).json()
    return answer["version"]


def metric(client: httpx.Client, name: str) -> float | None:
    """A gauge of the running endpoint; None where it has none."""
    found = re.search(rf"^{name} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else None


def told(project: Workspace) -> set[str]:
    """The roles that the last event told."""
    return {each.role for each in log.load(project.root).handled[-1].told}


def firing(mlops: Mlops, project: Workspace, client: httpx.Client) -> set[str]:
    """The alerts that fire."""
    _, out, _ = mlops(project, "alerts", "--url", str(client.base_url), "--json")
    return {each["alert"] for each in json.loads(out) if each["state"] == "fires"}


def tiles(project: Workspace, endpoint: httpx.Client) -> dict[str, str]:
    """What the dashboard says of each tile."""
    found = dashboard.read(project.conf, url=str(endpoint.base_url))
    return {state.tile.name: state.word for state in found}


def test_changed_data_ends_with_a_new_champion(
    serving: Workspace, mlops: Mlops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    later = changed_loans()
    labels = ("truth", "--labels", "labels", "--as-of", TODAY)
    serving.change("train.yml", retrain={"cool_down_hours": 0}, parameters={"n_estimators": 40})

    with served(serving) as endpoint:
        # A champion serves, and nobody is woken.
        assert version(endpoint) == "1"
        assert firing(mlops, serving, endpoint) == set()
        shown = tiles(serving, endpoint)
        assert (shown["progress"], shown["availability"]) == ("good", "good")
        assert (shown["drift"], shown["truth"]) == ("unknown", "unknown")

        # The data changes. Drift alone trains nothing: there are no new labels.
        deliver(later.drop(columns="outcome"), serving.root / "new")
        assert mlops(serving, "run", "pipelines/batch.yml", "--input", "data=new")[0] == 0
        assert mlops(serving, "monitor", "--current", "new")[0] == 1
        assert metric(endpoint, "mlops_drift") == 1
        assert firing(mlops, serving, endpoint) == {"DataDrifted"}
        assert tiles(serving, endpoint)["drift"] == "warning"
        _, out, _ = mlops(serving, "event", "--do")
        assert "new labelled rows: there are none since the last training" in out
        assert told(serving) == {"domain_expert", "data_engineer"}
        assert serving.roles() == {"1": "champion"}

        # Late labels arrive, and say that the champion is broken.
        deliver(later, serving.root / "labels")
        path = serving.raw / "credit.csv"
        pd.concat([pd.read_csv(path), later]).to_csv(path, index=False)
        assert mlops(serving, *labels)[0] == 1
        assert metric(endpoint, "mlops_truth") == 2
        assert firing(mlops, serving, endpoint) == {"DataDrifted", "ModelBroken"}
        assert tiles(serving, endpoint)["truth"] == "bad"

        # Its event starts a retraining, whose challenger beats the champion on the new rows.
        _, out, _ = mlops(serving, "event", "--do")
        assert "better than the champion" in out
        assert serving.roles() == {"1": "champion", "2": "challenger"}
        assert "better than the champion" in serving.registry.get("2").tags["role_why"]
        assert tiles(serving, endpoint)["progress"] == "warning"  # the challenger waits

        # The event of the new version tests it, and tells the validator.
        _, out, _ = mlops(serving, "event", "--do")
        assert "version 2 passed its offline test" in out
        assert told(serving) == {"model_validator"}

    # In production a deployment needs two people: the validator certifies, the engineer deploys.
    with monkeypatch.context() as patched:
        certified_then_deployed(patched, tmp_path / "azure")

    # Here a person promotes, and the alerts are silent.
    assert mlops(serving, "promote", "--why", "customers have changed")[0] == 0
    assert serving.roles() == {"1": "archived", "2": "champion"}
    with served(serving) as endpoint:
        assert version(endpoint) == "2"
        assert mlops(serving, "monitor", "--current", "new")[0] == 0
        assert metric(endpoint, "mlops_drift") == 0
        assert firing(mlops, serving, endpoint) == set()
        shown = tiles(serving, endpoint)
        assert (shown["progress"], shown["drift"], shown["truth"]) == ("good", "good", "unknown")


def certified_then_deployed(patched: pytest.MonkeyPatch, root: Path) -> None:
    """Version 2 in a stand-in for Azure: refused, certified, deployed."""
    azure, terraform = Runner(patched), Terraform()
    patched.setattr("mlops_platform.azure.infra.subprocess", terraform)
    production = terraform.scenario = scenarios.start(root, infra=True)
    file = root / "conf" / "prod.yml"
    file.write_text(file.read_text().replace("infra: {", f"infra: {{subnet: {SUBNET}, "))
    terraform.make("prod")
    production.change(registries={REGISTRY: scenarios.version("2", "challenger")})
    assert azure(production, "setup", "--env", "prod") == "done"
    deploy = ("deploy", "2", "--env", "prod")
    assert "version 2 is not certified" in refusal(azure, production, *deploy)
    assert azure(production, "certify", "2") == "done"
    assert azure(production, *deploy) == "done"
