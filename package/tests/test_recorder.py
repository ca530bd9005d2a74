"""The endpoint keeps its predictions beside its answers, and counts what it could not keep."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mlops_platform.serving import app as endpoint
from mlops_platform.serving.scorer import Scorer
from mlops_platform.truth import recorder
from mlops_platform.truth.config import Truth
from mlops_platform.truth.ledger import Ledger
from mlops_platform.truth.recorder import Recorder

from package.tests import models
from package.tests.workspaces import TEAM

CREDIT = models.conf_of("credit_risk") / "data.yml"


@pytest.fixture(scope="module")
def scorers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scorer]:
    made = {}
    for package in ("credit_risk", "energy_demand"):
        folder = models.train(package, tmp_path_factory.mktemp(package) / "model")
        made[package] = Scorer(folder, package, "3", TEAM)
    return made


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    made: list[Recorder] = []

    def run(scorer: Scorer, **options: Any) -> Recorder:
        into = options.pop("into", Ledger(tmp_path / "ledger"))
        contract = scorer.contract
        made.append(Recorder(into, Truth(), version="3", contract=contract, **options))
        return made[-1]

    yield run
    for each in made:
        each.close()


def kept(folder: Path) -> list[dict[str, Any]]:
    columns = ["id", "time", "version", "period", "scores"]
    return [
        row for batch in Ledger(folder / "ledger").batches(columns) for row in batch.to_pylist()
    ]


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen within five seconds")


def metric(client: TestClient, outcome: str) -> float:
    name = f'mlops_predictions_total{{outcome="{outcome}"}} '
    lines = client.get("/metrics").text.splitlines()
    (value,) = [line.removeprefix(name) for line in lines if line.startswith(name)]
    return float(value)


@pytest.mark.parametrize("package", ["credit_risk", "energy_demand"])
def test_answers_are_kept_without_features(
    package: str, scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    keeping = start(scorers[package])
    client = TestClient(endpoint.create(scorers[package], recorder=keeping))
    given = models.good_rows(package, models.conf_of(package) / "data.yml", 3)
    answer = client.post("/score", json={"rows": given}).json()["predictions"]
    assert kept(tmp_path) == []
    keeping.close()
    rows = kept(tmp_path)
    assert [row["id"] for row in rows] == [each["id"] for each in answer]
    labels = scorers[package].labels
    scores = [
        [each["probabilities"][label] for label in labels] if labels else [each["value"]]
        for each in answer
    ]
    assert [row["scores"] for row in rows] == scores
    assert {(row["version"], row["period"]) for row in rows} == {
        ("3", f"{rows[0]['time']:%Y-%m}"),
    }
    assert (metric(client, "kept"), metric(client, "lost")) == (3, 0)


def test_a_refused_request_is_not_kept(
    scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    keeping = start(scorers["credit_risk"])
    client = TestClient(endpoint.create(scorers["credit_risk"], recorder=keeping))
    assert client.post("/score", json={"rows": [{}]}).status_code == 422
    keeping.close()
    assert kept(tmp_path) == []


def test_a_request_without_an_id_is_kept(
    scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    keeping = start(scorers["credit_risk"])
    client = TestClient(endpoint.create(scorers["credit_risk"], recorder=keeping))
    (row,) = models.good_rows("credit_risk", CREDIT, 1)
    client.post("/score", json={"rows": [{**row, "loan_id": None}]})
    keeping.close()
    assert [each["id"] for each in kept(tmp_path)] == [None]


def answers(count: int) -> list[dict[str, Any]]:
    shares = {"repaid": 0.75, "defaulted": 0.25}
    return [{"id": f"L{number}", "probabilities": shares} for number in range(count)]


def test_many_are_written_before_the_time_is_over(
    scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    keeping = start(scorers["credit_risk"], seconds=3600)
    for _ in range(6):
        keeping.add(answers(recorder.WRITE_ROWS // 5))
    until(lambda: len(kept(tmp_path)) >= recorder.WRITE_ROWS)


def test_few_are_written_after_a_while(
    scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    start(scorers["credit_risk"], seconds=0.01).add(answers(2))
    until(lambda: len(kept(tmp_path)) == 2)


class Stuck(Ledger):
    """A ledger that waits, or whose disk is full."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.go = threading.Event()
        self.full = False

    def append(self, *given: Any, **options: Any) -> bool:
        """Append, if the disk lets it."""
        self.go.wait(5)
        if self.full:
            raise OSError("no space left")
        return super().append(*given, **options)


def test_what_the_buffer_cannot_take_is_counted_as_lost(
    scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    counts: Counter[str] = Counter()
    stuck = Stuck(tmp_path / "ledger")
    keeping = start(scorers["credit_risk"], into=stuck, most_rows=10)
    keeping.count = lambda outcome, rows: counts.update({outcome: rows})
    began = time.perf_counter()
    for _ in range(5):
        keeping.add(answers(4))
    assert time.perf_counter() - began < 1  # a request never waits for the disk
    assert counts == {"lost": 12}
    stuck.go.set()
    keeping.close()
    assert counts == {"lost": 12, "kept": 8}
    assert len(kept(tmp_path)) == 8


class Undeletable(Ledger):
    """A ledger in which nothing can be deleted."""

    def expire(self, days: int, now: datetime) -> int:
        """Fail."""
        raise PermissionError


def test_what_cannot_be_deleted_does_not_make_predictions_be_kept_twice(
    scorers: dict[str, Scorer],
    start: Callable[..., Recorder],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts: Counter[str] = Counter()
    keeping = start(scorers["credit_risk"], into=Undeletable(tmp_path / "ledger"))
    keeping.count = lambda outcome, rows: counts.update({outcome: rows})
    with caplog.at_level(logging.ERROR):
        keeping.add(answers(4))
        keeping.close()
    assert counts == {"kept": 4}
    assert len(kept(tmp_path)) == 4
    assert "old predictions cannot be deleted: PermissionError" in caplog.text


def test_a_full_disk_loses_nothing_that_fits_until_it_ends(
    scorers: dict[str, Scorer],
    start: Callable[..., Recorder],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts: Counter[str] = Counter()
    stuck = Stuck(tmp_path / "ledger")
    stuck.full = True
    stuck.go.set()
    keeping = start(scorers["credit_risk"], into=stuck, seconds=0.01)
    keeping.count = lambda outcome, rows: counts.update({outcome: rows})
    with caplog.at_level(logging.ERROR):
        keeping.add(answers(4))
        until(lambda: "predictions cannot be kept: OSError" in caplog.text)
        assert counts == {}
        stuck.full = False
        until(lambda: counts == {"kept": 4})
        stuck.full = True
        keeping.add(answers(3))
        keeping.close()
    assert counts == {"kept": 4, "lost": 3}
    assert "3 predictions were answered, but not kept" in caplog.text


def test_the_endpoint_lives_while_the_disk_is_slow(
    scorers: dict[str, Scorer], start: Callable[..., Recorder], tmp_path: Path
) -> None:
    stuck = Stuck(tmp_path / "ledger")
    keeping = start(scorers["credit_risk"], into=stuck, seconds=0.01)
    client = TestClient(endpoint.create(scorers["credit_risk"], recorder=keeping))
    given = models.good_rows("credit_risk", CREDIT, 2)
    for _ in range(3):
        assert client.post("/score", json={"rows": given}).status_code == 200
        assert client.get("/live").status_code == 200
    stuck.go.set()
    keeping.close()
    assert len(kept(tmp_path)) == 6
