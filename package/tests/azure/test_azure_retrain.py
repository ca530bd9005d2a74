"""Retraining in dev: a person may at any time, a machine as often as conf/train.yml allows."""

from datetime import timedelta
from typing import Any

import pytest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import NAME, NOW, Scenario, refusal

EVENT = ("retrain", "--event", "drift in income")


def job(hours_ago: float, **changes: Any) -> dict[str, Any]:
    """A training on the data before, so long ago; `changes` make it something else."""
    inputs = {"trigger": "manual", "raw": {"path": f"azureml:{NAME}-raw:0"}}
    spec = {"type": "pipeline", "tags": {"project": NAME}, "inputs": inputs}
    context = {"created_at": (NOW - timedelta(hours=hours_ago)).isoformat()}
    ours = {key: value for key, value in changes.items() if key in spec}
    others = {key: value for key, value in changes.items() if key not in spec}
    return {"status": "Completed", "creation_context": context, "spec": spec | ours, **others}


def plant(scenario: Scenario, *jobs: dict[str, Any]) -> None:
    """Azure has had these jobs, the earliest first."""
    named = {f"job-{number}": made for number, made in enumerate(jobs)}
    scenario.change(jobs={name: {"name": name, **made} for name, made in named.items()})


def newest(scenario: Scenario) -> dict[str, Any]:
    return list(scenario.state()["jobs"].values())[-1]["spec"]


def test_an_event_trains_where_nothing_was_trained_lately(mlops, new):
    plant(new, job(200), job(30))
    assert mlops(new, *EVENT) == "done"
    assert newest(new)["inputs"]["trigger"] == "drift in income"
    assert len(new.state()["jobs"]) == 3


SAME = {"trigger": "manual", "raw": {"path": f"azureml:{NAME}-raw:1"}}
LONG = SAME | {"raw": {"path": f"azureml:/subscriptions/x/data/{NAME}-raw/versions/1"}}


def judged(scenario: Scenario, verdict: str, new: int, days_ago: int) -> None:
    """The champion of dev has this verdict on real outcomes."""
    day = (NOW - timedelta(days=days_ago)).date().isoformat()
    tags = {"truth": verdict, "truth_why": "roc_auc is 0.5", "truth_as_of": day}
    models = scenarios.version("1", "champion")
    for made in models.values():
        made["tags"] |= tags | {"truth_new": str(new)}
    scenario.change(models=models)


@pytest.mark.parametrize("inputs", [SAME, LONG, {"trigger": "manual"}], ids=str)
def test_drift_without_new_rows_only_notifies(mlops, new, inputs):
    plant(new, job(30, inputs=inputs))
    message = refusal(mlops, new, *EVENT)
    assert "Found: drift: drift in income. Missing: new labelled rows: nothing has" in message
    assert "Tell the domain expert and the data engineer." in message
    assert len(new.state()["jobs"]) == 1


@pytest.mark.parametrize(
    ("tags", "event", "missing"),
    [
        (("broken", 40, 0), "schedule", ""),
        (("holds", 40, 0), "drift in income", ""),
        (("holds", 40, 0), "schedule", "a reason: neither drift nor a broken verdict"),
        (("broken", 0, 0), "schedule", "new labelled rows: there are none since the last training"),
        (("broken", 40, 5), "schedule", "new labelled rows: nothing has counted them since"),
    ],
)
def test_a_verdict_on_real_outcomes_decides_too(mlops, new, tags, event, missing):
    plant(new, job(50, inputs=SAME))
    judged(new, *tags)
    if missing:
        assert missing in refusal(mlops, new, "retrain", "--event", event)
        assert len(new.state()["jobs"]) == 1
    else:
        assert mlops(new, "retrain", "--event", event) == "done"
        assert newest(new)["inputs"]["trigger"] == event


def test_too_soon_after_the_last_one(mlops, new):
    plant(new, job(30), job(23))
    message = refusal(mlops, new, *EVENT)
    assert "the next one can start at 2026-05-08 14:00 (conf/train.yml" in message
    assert "`uv run mlops azure retrain --why REASON`" in message
    assert "mlops retrain" not in message


def test_too_many_in_a_week(mlops, new):
    plant(new, job(160), job(100), job(25))
    message = refusal(mlops, new, *EVENT)
    assert "3 trainings started within a week" in message
    assert "`uv run mlops azure retrain --why REASON`" in message


def test_a_person_may_at_any_time(mlops, new):
    plant(new, job(100), job(25), job(1))
    assert mlops(new, "retrain", "--why", "new income data", "--event", "button") == "done"
    assert newest(new)["inputs"]["trigger"] == "new income data"


@pytest.mark.parametrize("why", ["", "  "])
def test_an_empty_reason_is_no_persons(mlops, new, why):
    plant(new, job(1))
    message = refusal(mlops, new, "retrain", "--why", why, "--event", "schedule")
    assert "the last training started" in message


@pytest.mark.parametrize("words", [["retrain"], ["retrain", "--why", "", "--event", " "]])
def test_somebody_says_why(mlops, new, words):
    assert "a reason is missing" in refusal(mlops, new, *words)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"status": "Failed"}, True),
        ({"archived": True}, True),
        ({"inputs": {"trigger": {"type": "string", "value": "drift"}}}, True),
        ({"inputs": {"current": "x"}}, False),
        ({"inputs": None}, False),
        ({"type": "command"}, False),
        ({"tags": {"project": "other"}}, False),
        ({"tags": None}, False),
    ],
    ids=str,
)
def test_what_counts_as_a_training(mlops, new, changes, counts):
    plant(new, job(1, **changes))
    assert mlops(new, *EVENT) == ("gate" if counts else "done")


def test_a_training_below_many_other_jobs_counts(mlops, new):
    plant(new, job(2), *[job(1, inputs=None)] * 100)
    assert "the last training started" in refusal(mlops, new, *EVENT)


def test_an_interrupted_run_finds_its_own_job_and_another_event_is_refused(mlops, new, capsys):
    assert mlops(new, *EVENT) == "done"
    assert "no new job" not in capsys.readouterr().out
    assert mlops(new, *EVENT) == "done"
    assert "data version has completed: no new job was started" in capsys.readouterr().out
    assert len(new.state()["jobs"]) == 1
    assert "the last training started" in refusal(mlops, new, "retrain", "--event", "drift in debt")


def test_a_job_that_failed_is_not_begun_again_by_a_machine(mlops, new):
    new.change(ends={"train": "Failed"})
    assert mlops(new, *EVENT) == "error"
    assert "the last training started" in refusal(mlops, new, *EVENT)
    assert mlops(new, "retrain", "--why", "the cluster was full") == "error"
    assert len(new.state()["jobs"]) == 2


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("option", ["--why", "--event"])
def test_only_dev_trains(mlops, new, environment, option):
    message = refusal(mlops, new, "retrain", option, "x", "--env", environment)
    assert f"{environment} serves versions from the registry" in message


@pytest.mark.parametrize("fault", ["auth", "invalid", "garbage"])
def test_a_list_that_cannot_be_read_is_no_empty_one(mlops, new, fault):
    new.fail(2, fault)  # after the look for a job of its own
    refusal(mlops, new, *EVENT)
    assert new.calls()[1][1:3] == ["job", "list"]
    assert new.state()["jobs"] == {}


@pytest.mark.parametrize(
    "created", [{}, {"created_at": None}, {"created_at": "yesterday"}, None], ids=str
)
def test_a_training_without_a_time_is_not_taken_for_an_old_one(mlops, new, created):
    plant(new, job(1, creation_context=created))
    assert "job job-0 has no valid start time" in refusal(mlops, new, *EVENT)


def test_a_job_that_az_could_not_print_is_not_left_out(mlops, new, monkeypatch):
    monkeypatch.setattr(scenarios.az_standin.Azure, "job_list", lambda *_: [None])
    assert "did not return a list of jobs" in refusal(mlops, new, *EVENT)


@pytest.mark.parametrize(
    ("oldest", "hours", "message"),
    [
        (100, 24, "do not cover the last 7 days"),
        (300, 24, "done"),
        (300, 720, "do not cover the last 30 days"),
    ],
)
def test_a_list_that_ends_too_early_says_too_little(mlops, new, oldest, hours, message):
    settings = new.root / "conf" / "train.yml"
    text = settings.read_text().replace("cool_down_hours: 24", f"cool_down_hours: {hours}")
    settings.write_text(text)
    plant(new, *[job(oldest, inputs=None)] * 300, *[job(1, inputs=None)] * 199)
    if message == "done":
        assert mlops(new, *EVENT) == "done"
    else:
        assert message in refusal(mlops, new, *EVENT)


def test_a_list_in_another_order_is_not_believed(mlops, new, monkeypatch):
    plant(new, *[job(1000 - hours, inputs=None) for hours in range(299)], job(1))
    listed = scenarios.az_standin.Azure.job_list
    everything = {"--max-results": "500", "--include-archived": True}

    def earliest_first(azure, flags):
        return listed(azure, everything)[::-1][: int(flags["--max-results"])]

    monkeypatch.setattr(scenarios.az_standin.Azure, "job_list", earliest_first)
    assert "do not cover the last 7 days" in refusal(mlops, new, *EVENT)
