"""Verdicts on outcomes that came later: what counts, what waits, and what is found."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.evaluation import spread
from mlops_platform.evaluation.metrics import METRICS
from mlops_platform.models.team import Team
from mlops_platform.tracking.promised import Figure
from mlops_platform.truth import ids, join, judge, ledger
from mlops_platform.truth.join import Known
from mlops_platform.truth.judge import Promise
from mlops_platform.truth.labels import Labels
from mlops_platform.truth.ledger import Ledger

from package.tests import outcomes
from package.tests.outcomes import Setting

CREDIT, ENERGY, THREE = Setting("credit_risk"), Setting("energy_demand"), Setting("credit_risk", 3)
BAD, GOOD = "defaulted", "repaid"
NOBODY = {number: Known(np.empty(0, np.uint64)) for number in "123"}


class Kept:
    """A ledger in which tests write rows by hand; the higher the number, the worse the risk."""

    def __init__(self, folder: Path, setting: Setting = CREDIT) -> None:
        self.folder, self.setting = folder, setting
        self.ledger = Ledger(folder / "ledger")
        self.labels: list[dict] = []

    def add(
        self,
        period: str,
        good: int,
        bad: int = 0,
        *,
        version: str = "1",
        labelled: float = 1.0,
        skill: float = 1.0,
        name: str = "",
    ) -> list[str]:
        """Keep predictions of a month; the model tells bad from good rows with this skill."""
        rng = np.random.default_rng(good + bad)
        is_bad = np.array([False] * good + [True] * bad)
        risk = np.clip(0.5 + skill * (0.2 * is_bad - 0.1) + rng.normal(0, 0.1, good + bad), 0, 1)
        names = [f"{name}{period}-{number}" for number in range(good + bad)]
        scores = np.column_stack([1 - risk, risk])
        when = ledger.utc_now()
        self.ledger.append([ledger.table(names, scores, version=version, period=period, time=when)])
        known = rng.permutation(good + bad)[: round(labelled * (good + bad))]
        self.label({names[each]: BAD if is_bad[each] else GOOD for each in sorted(known)})
        return names

    def label(self, outcome: dict[str, str | None]) -> None:
        """Add labels."""
        self.labels += [{"loan_id": key, "outcome": value} for key, value in outcome.items()]

    def join(self, known: dict[str, Known] = NOBODY, learned: object = None, **changed: object):
        """Join with the labels."""
        rules = self.setting.rules(**changed)
        path = self.folder / "labels.csv"
        pd.DataFrame(self.labels, columns=["loan_id", "outcome"]).to_csv(path, index=False)
        found = Labels(path, rules.contract, Team("credit_risk"), rules.truth)
        scratch = self.folder / f"scratch-{len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        joined = join.join(
            self.ledger.batches(["id", "version", "period", "time", "scores"]),
            found.chunks(),
            rows=len(self.labels),
            columns=found.columns,
            known=known,
            learned=learned,
            scratch=scratch,
        )
        return joined, found, rules

    def judge(self, figure: Figure | None = Figure(0.75, 0.7, 0.8), *, version="1", **changed):  # noqa: B008
        """The verdict on a version."""
        known = changed.pop("known", NOBODY)
        joined, found, rules = self.join(known, **changed)
        promise = Promise(version, "champion", rules.contract.labels, None, figure)
        return judge.judge(promise, joined, rules, found.lacking)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_version_that_does_what_it_promised_holds(kept: Kept) -> None:
    kept.add("2025-11", 150, 60)
    found = kept.judge(Figure(0.92, 0.88, 0.95))
    assert (found.verdict, found.rows, found.window) == ("holds", 210, ["2025-11"])
    assert found.low < found.value < found.high
    assert "roc_auc is" in found.message
    assert "210 rows of 2025-11, 0.92 on the test set" in found.message


def test_a_version_that_misses_its_limit_is_broken(kept: Kept) -> None:
    kept.add("2025-11", 150, 60, skill=0)
    found = kept.judge()
    assert found.verdict == "broken"
    assert "does not meet the limit, at least 0.7" in found.message


def test_a_version_that_is_worse_than_promised_is_broken_above_its_limit(kept: Kept) -> None:
    kept.add("2025-11", 1500, 600)
    found = kept.judge(Figure(0.99, 0.985, 0.995))
    assert found.verdict == "broken"
    assert "significantly worse, by at least" in found.message
    assert 0.002 < found.worse_low < found.worse_by < found.worse_high


def test_a_loss_within_what_varies_over_time_is_doubtful(kept: Kept) -> None:
    kept.add("2025-11", 1500, 600)
    found = kept.judge(Figure(0.99, 0.985, 0.995, spread=0.05, blocks=5))
    assert found.verdict == "doubtful"
    assert "no more than the test set varies over time" in found.message


def test_a_limit_that_is_missed_by_chance_perhaps_is_doubtful(kept: Kept) -> None:
    kept.add("2025-11", 150, 60, skill=0.3)
    found = kept.judge(Figure(0.72, 0.65, 0.79))
    assert found.value < 0.7 < found.high
    assert found.verdict == "doubtful"
    assert "misses the limit, at least 0.7, though not significantly" in found.message


def test_without_the_interval_of_the_test_only_a_limit_is_broken(kept: Kept) -> None:
    kept.add("2025-11", 1500, 600)
    found = kept.judge(Figure(0.99))
    assert found.verdict == "holds"
    assert "only a limit can be broken" in found.notes[-1]


@pytest.mark.parametrize(
    ("figure", "skill", "verdict"),
    [(Figure(20, 18, 22), 1, "holds"), (Figure(20, 18, 22), 3, "broken")],
)
def test_errors_that_grow_break_a_regression(
    tmp_path: Path, figure: Figure, skill: int, verdict: str
) -> None:
    rules = ENERGY.rules()
    rng = np.random.default_rng(0)
    true = rng.uniform(100, 500, 300)
    names = [f"R{number}" for number in range(300)]
    into = Ledger(tmp_path / "ledger")
    predicted = true + rng.normal(0, 25 * skill, 300)
    when = ledger.utc_now()
    into.append([ledger.table(names, predicted, version="1", period="2025-11", time=when)])
    labels = pd.DataFrame({"reading_id": names, "kwh": true})
    joined, found = outcomes.join_all(into, labels, ENERGY, rules, tmp_path / "s")
    result = judge.judge(Promise("1", "champion", [], None, figure), joined, rules, found.lacking)
    assert result.verdict == verdict
    assert result.value == pytest.approx(np.abs(true - predicted).mean())
    assert result.groups == []
    assert "`tenure`, `district`" in result.notes[0]


# What waits


def test_a_period_waits_for_its_horizon(kept: Kept) -> None:
    kept.add("2026-02", 200, 100)
    found = kept.judge()
    assert found.verdict == "not yet"
    assert "2026-02: its outcomes are known from 2026-03-31" in found.message
    assert kept.judge(horizon_days=0).verdict == "holds"  # today is 2026-03-01


def test_early_outcomes_are_not_judged(kept: Kept) -> None:
    kept.add("2025-11", 300, 100, labelled=0.79)
    found = kept.judge()
    assert found.verdict == "not yet"
    assert "outcomes of at least 80% of a period's predictions" in found.message
    assert "2025-11: 79% of its predictions have an outcome" in found.message
    assert kept.judge(coverage=0.79).verdict == "holds"


def test_a_window_grows_until_it_has_enough_rows(kept: Kept) -> None:
    for month in ("2025-08", "2025-09", "2025-10"):
        kept.add(month, 60, 30)
    kept.add("2025-11", 200, 50, labelled=0.1)
    found = kept.judge()
    assert (found.window, found.rows) == (["2025-08", "2025-09", "2025-10"], 270)
    assert kept.judge(min_rows=90).window == ["2025-10"]
    assert kept.judge(min_rows=91).window == ["2025-09", "2025-10"]


def test_a_window_grows_until_it_has_enough_rows_of_each_class(kept: Kept) -> None:
    kept.add("2025-10", 50, judge.CLASS_ROWS - 9)
    kept.add("2025-11", 300, 9)
    assert kept.judge().window == ["2025-10", "2025-11"]


def test_what_is_missing_is_said(kept: Kept) -> None:
    kept.add("2025-11", 100, 9)
    found = kept.judge()
    assert found.verdict == "not yet"
    assert found.missing == [
        "109 of 200 rows with an outcome",
        "9 of 10 rows with `outcome` 'defaulted'",
    ]


def test_a_version_without_a_test_figure_or_with_other_classes_waits(kept: Kept) -> None:
    kept.add("2025-11", 200, 50)
    assert "the test figure of roc_auc" in kept.judge(None).message
    joined, _, rules = kept.join()
    other = Promise("1", "champion", ["no", "yes"], None, Figure(0.8))
    assert "the version knows no, yes" in judge.judge(other, joined, rules, []).message
    assert "all that are kept are of rows of its own training" in kept.judge(version="2").message


# What counts


def test_rows_that_a_version_has_seen_do_not_count(kept: Kept) -> None:
    names = kept.add("2025-10", 200, 100, name="train-")
    kept.add("2025-11", 150, 60, skill=0, name="new-")
    seen = Known(np.sort(ids.hashed(np.array(names, object))))
    found = kept.judge(known={"1": seen}, min_rows=210)
    assert (found.known, found.rows, found.window) == (300, 210, ["2025-11"])
    assert found.verdict == "broken"
    assert kept.judge(min_rows=300).known == 0


def test_a_version_without_ids_of_its_rows_is_judged_on_what_came_after_it(kept: Kept) -> None:
    kept.add("2025-10", 200, 100)
    kept.add("2025-11", 200, 100)
    found = kept.judge(known={"1": Known(None, "2025-10")}, min_rows=301)
    assert (found.known, found.rows) == (300, 300)


def test_duplicates_contradictions_and_unknown_ids_are_counted(kept: Kept) -> None:
    first, second, third, *_ = kept.add("2025-11", 150, 60)
    kept.label({first: GOOD, second: BAD, "nobody": GOOD, "": GOOD, third: None})
    kept.label({"odd": "eaten by the dog"})
    joined, found, _ = kept.join()
    assert (joined.duplicates, joined.contradictions, joined.unknown) == (1, 1, 1)
    assert (found.invalid, found.pending, found.without_id) == (1, 1, 1)
    assert joined.counts["labelled"].sum() == 209  # not the one with two outcomes


def test_an_id_counts_once_for_each_version(kept: Kept) -> None:
    for _ in range(2):
        kept.add("2025-11", 150, 60)
    kept.add("2025-11", 150, 60, version="2")
    joined, _, _ = kept.join()
    assert joined.repeated == 210
    assert joined.counts["predictions"].tolist() == [210, 210]


def test_a_prediction_without_an_id_is_kept_and_counted(kept: Kept) -> None:
    when, scores = ledger.utc_now(), np.array([[0.5, 0.5]])
    kept.ledger.append([ledger.table([None], scores, version="1", period="2025-11", time=when)])
    kept.add("2025-11", 2)
    joined, _, _ = kept.join()
    assert (joined.predictions, joined.without_id, joined.counts["predictions"].sum()) == (3, 1, 2)


def test_new_labels_are_those_that_the_last_training_did_not_have(kept: Kept) -> None:
    names = kept.add("2025-11", 10, 5)
    learned = np.sort(ids.hashed(np.array(names[:4], object)))
    assert kept.join(learned=learned)[0].new == 11
    assert kept.join()[0].new is None


@pytest.mark.parametrize("missing", ["loan_id", "outcome"])
def test_labels_need_id_and_outcome(kept: Kept, missing: str) -> None:
    path = kept.folder / "labels.csv"
    pd.DataFrame({"loan_id": ["a"], "outcome": [GOOD]}).drop(columns=missing).to_csv(
        path, index=False
    )
    rules = CREDIT.rules()
    with pytest.raises(UsageError, match=f"has no column `{missing}`"):
        list(Labels(path, rules.contract, Team("credit_risk"), rules.truth).chunks())


def test_buckets_on_disk_change_nothing(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.add("2025-10", 100, 50)
    first, *_ = kept.add("2025-11", 120, 30, labelled=0.5)
    kept.label({first: GOOD, "nobody": BAD})
    whole = kept.join()[0]
    monkeypatch.setattr(join, "BUCKET_ROWS", 20)
    monkeypatch.setattr(join, "SPREAD_ROWS", 30)
    divided = kept.join()[0]
    for name in ("predictions", "labels", "duplicates", "contradictions", "unknown", "known"):
        assert getattr(divided, name) == getattr(whole, name), name
    pd.testing.assert_frame_equal(divided.counts, whole.counts)
    pd.testing.assert_frame_equal(divided.classes, whole.classes)
    pairs = [each.pairs("1", ["2025-10", "2025-11"], 1) for each in (whole, divided)]
    tables = [each.sort_by("hash").drop_columns(["scores"]) for each in pairs]
    assert tables[0].equals(tables[1])


def test_a_large_window_is_sampled_by_the_id(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.add("2025-11", 1500, 500)
    monkeypatch.setattr(judge, "SAMPLE_ROWS", 500)
    found = kept.judge()
    assert found.rows == 2000
    assert 400 < found.sampled < 600
    assert kept.judge() == found


# What is found


@pytest.mark.parametrize(
    ("setting", "noise"), [(CREDIT, 1.0), (THREE, 1.0), (ENERGY, 120.0)], ids=str
)
def test_a_changed_truth_is_found_and_the_same_truth_is_not(
    setting: Setting, noise: float, tmp_path: Path
) -> None:
    """`benchmarks/truth_power.py` has the rates over 100 seeds."""
    fitted = outcomes.fit(setting, 0)
    same = outcomes.verdict(setting, fitted, tmp_path / "same", seed=1000)
    changed = outcomes.verdict(setting, fitted, tmp_path / "changed", seed=1000, noise=noise)
    assert (same.verdict, changed.verdict) == ("holds", "broken")
    names = {(group.column, group.group) for group in changed.groups if group.value is not None}
    assert len(names) == 5
    assert {column for column, _ in names} == set(setting.contract().named("sensitive"))


def test_the_interval_of_a_difference_is_that_of_normal_estimates() -> None:
    low, high = judge.difference((0.7, 0.66, 0.74), (0.8, 0.77, 0.83))
    assert (low, high) == pytest.approx((-0.15, -0.05))
    wider = judge.difference((0.7, 0.66, 0.74), (0.8, 0.77, 0.83), 0.12)
    assert wider == pytest.approx((-0.23, 0.03))


def times(blocks: int, rows: int) -> pd.Series:
    return pd.Series(np.repeat(pd.date_range("2025-01-01", periods=blocks, freq="MS"), rows))


@pytest.mark.parametrize(("seasonal", "low", "high"), [(0, 0, 3), (20, 12, 30)])
def test_the_spread_is_what_varies_beyond_chance(seasonal: int, low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    error = rng.normal(0, 1, 1200) * (25 + np.repeat([0, 1, 2, 2, 1, 0], 200) * seasonal)
    truth = np.full(1200, 300.0)
    found = spread.over_time(times(6, 200), truth, truth + error, metric=METRICS["mae"], seed=0)
    assert found.blocks == 6
    assert low <= found.tau <= high


@pytest.mark.parametrize(("blocks", "rows"), [(2, 400), (6, 20)])
def test_too_few_times_or_rows_have_no_spread(blocks: int, rows: int) -> None:
    truth = np.arange(float(blocks * rows))
    assert (
        spread.over_time(times(blocks, rows), truth, truth + 1, metric=METRICS["mae"], seed=0)
        is None
    )


def test_the_day_decides(kept: Kept) -> None:
    kept.add("2025-11", 150, 60)
    joined, found, rules = kept.join()
    promise = Promise("1", "champion", rules.contract.labels, None, Figure(0.92, 0.88, 0.95))
    for day, verdict in ((date(2025, 12, 30), "not yet"), (date(2025, 12, 31), "holds")):
        changed = judge.Rules(**{**vars(rules), "today": day})
        assert judge.judge(promise, joined, changed, found.lacking).verdict == verdict
