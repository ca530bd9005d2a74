"""What is spent, and whether the quota is enough."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from mlops_platform import evidence, settings
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import UsageError
from mlops_platform.cost import budget, prices, quota, spent
from mlops_platform.cost.spent import Champion
from mlops_platform.pipelines.journal import Entry

from package.tests.workspaces import CREDIT

NOW = datetime(2026, 5, 11, tzinfo=UTC)  # ten days of 31 are over


def step(
    name: str,
    *,
    ago: float,
    pipeline: str = "train",
    run: str = "run-1",
    seconds: float = 60,
    outcome: str = "passed",
) -> Entry:
    """A step that began so many hours ago."""
    return Entry(
        began=NOW - timedelta(hours=ago),
        pipeline=pipeline,
        run=run,
        step=name,
        seconds=seconds,
        outcome=outcome,
    )


STEPS = [
    step("train", ago=400, run="run-1"),  # in April
    step("train", ago=30, run="run-2", seconds=100),
    step("register", ago=29, run="run-2", seconds=20),
    step("train", ago=3, run="run-3", seconds=7),
    step("score", ago=2, pipeline="batch", seconds=5),
]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A project's settings, beside an empty journal."""
    shutil.copytree(CREDIT / "conf", tmp_path / "conf")
    return tmp_path / "conf"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def keep(conf: Path, steps: list[Entry]) -> None:
    """Write the journal."""
    folder = conf.parent / ".mlops"
    folder.mkdir()
    lines = "".join(f"{each.model_dump_json()}\n" for each in steps)
    (folder / "steps.jsonl").write_text(lines)


def test_each_line_has_the_seconds_of_what_it_names(conf):
    keep(conf, STEPS)
    batch = evidence.BatchResult(
        model="m", version="1", rows=600, scored=500, rejected=100, seconds=4, resumed=False
    )
    evidence.write(batch, conf.parent / "outputs/batch/run-1/score/evidence/batch.json")
    champion = Champion("2", NOW - timedelta(hours=30) + timedelta(seconds=50))
    found = spent.read(conf, NOW, champion, (3, 150))
    assert [(line.what, line.seconds) for line in found] == [
        ("the last training, run-3", 7),
        ("the champion, version 2", 120),
        ("a thousand predictions, batch of 500 rows", 8),
        ("a thousand predictions, endpoint", 20),
        ("this month, all pipelines", 132),
    ]


def test_what_is_not_known_says_what_makes_it_known(conf):
    missing = [line.missing for line in spent.read(conf, NOW, None, (0, 0))]
    assert missing == [
        "no training is recorded: `uv run poe pipeline`",
        "there is no champion: `uv run poe promote`",
        "no batch is recorded: `uv run poe batch`",
        "none was made yet",
        "",
    ]
    keep(conf, STEPS)
    elsewhere = Champion("9", NOW)  # no step ran then
    of_before = Champion("9", None)
    for champion in (elsewhere, of_before):
        line = spent.read(conf, NOW, champion, None)[1]
        assert (line.seconds, line.missing) == (
            None,
            "its training is not in this machine's journal",
        )


@pytest.mark.parametrize(
    ("seconds", "found"), [(-1.1, None), (-0.9, 7), (0, 7), (7, 7), (7.1, None)]
)
def test_a_fit_is_found_whose_time_was_cut_to_whole_seconds(conf, seconds, found):
    began = datetime(2026, 5, 20, 12, 0, 0, 900_000, tzinfo=UTC)
    keep(conf, [step("train", ago=3, seconds=7).model_copy(update={"began": began})])
    champion = Champion("1", began + timedelta(seconds=seconds))
    assert spent.read(conf, NOW, champion, None)[1].seconds == found


def test_a_price_is_that_of_size_and_tier(conf):
    content = yaml.safe_load((conf / "cost.yml").read_text())
    content["machines"]["Standard_DS3_v2"] = {"cores": 4, "hour": 3.6, "low_priority": 0.36}
    (conf / "cost.yml").write_text(yaml.safe_dump(content))
    found = {price.where: price.of(1000) for price in prices.read(conf)[1]}
    assert found == pytest.approx({"local": 0.2 / 3.6, "dev": 0.1, "staging": 1.0, "prod": 1.0})


def test_without_a_price_there_are_seconds_and_the_line_to_write(conf):
    _, found = prices.read(conf)
    assert [price.of(10) is None for price in found] == [False, True, True, True]
    assert found[1].missing.endswith(
        "cost.yml, field `machines.Standard_DS3_v2.low_priority`: is missing. "
        "Write what an hour costs, in EUR."
    )
    (conf / "cost.yml").unlink()  # a project of before
    known, found = prices.read(conf)
    assert known is None
    assert "Write {currency: EUR, machines: {local: {hour: 0.2}}}" in found[0].missing
    example = found[0].missing.partition("Write ")[2].partition(", for")[0]
    settings.parse(settings.Prices, yaml.safe_load(example), Path("cost.yml"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("currency: EUR", "currency: euro", "`currency`"),
        ("hour: 0.2", "hour: -1", "`machines.local.hour`"),
        ("hour: 0.2", "hours: 1", "`machines.local.hours`"),
        ("{hour: 0.2}", "{}", "needs `machines.local.hour`"),
        ("budget: 20", "budget: 0", "`budget`"),
    ],
)
def test_faults_of_the_file_are_named(conf, old, new, said):
    change(conf / "cost.yml", old, new)
    with pytest.raises(UsageError, match=r"cost\.yml.*") as error:
        settings.load_prices(conf)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("spent_now", "by_the_end", "told", "word"),
    [
        (10, 90, [], "good"),
        (10, 100, ["forecast_100"], "warning"),
        (80, 90, ["actual_80"], "warning"),
        (100, 300, ["actual_80", "actual_100", "forecast_100"], "bad"),
    ],
)
def test_a_budget_tells_before_and_after(spent_now, by_the_end, told, word):
    assert budget.reached(spent_now, by_the_end, 100) == told
    assert budget.judge(spent_now, by_the_end, 100) == word


def test_a_month_that_goes_on_so():
    assert spent.forecast(10, NOW) == pytest.approx(31)
    assert spent.forecast(10, datetime(2026, 2, 1, 0, 5, tzinfo=UTC)) == pytest.approx(280)


def with_quota(conf: Path, cores: int) -> None:
    change(conf / "prod.yml", "idle_seconds: 600}", f"idle_seconds: 600, quota: {cores}}}")


def test_a_cluster_above_the_quota_is_a_problem_with_its_numbers(conf, monkeypatch):
    monkeypatch.chdir(conf.parent)
    with_quota(conf, 15)
    with pytest.raises(UsageError) as error:
        quota.require_enough(Path("conf"), "prod")
    said = str(error.value)
    assert said == (
        "conf/prod.yml, field `cluster.max_nodes`: 4 nodes of Standard_DS3_v2 with 4 cores are "
        "16 cores, but `cluster.quota` is 15. Write at most 3, or ask Azure for more and write "
        "them there."
    )
    assert said in settings_check.find_problems(Path("conf"))


@pytest.mark.parametrize("cores", [16, 100])
def test_a_quota_that_is_enough_is_none(conf, cores):
    with_quota(conf, cores)
    quota.require_enough(conf, "prod")
    assert quota.read(conf, "prod").share == 16 / cores


def test_without_cores_a_quota_cannot_be_checked(conf):
    quota.require_enough(conf, "prod")  # no quota, nothing to check
    with_quota(conf, 16)
    change(conf / "cost.yml", "{cores: 4}", "{}")
    with pytest.raises(UsageError, match=r"machines\.Standard_DS3_v2\.cores`: is missing, so"):
        quota.require_enough(conf, "prod")
