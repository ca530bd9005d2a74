"""Rows of one group are in one part and in one fold, also within searches and stacks."""

import numpy as np
import pandas as pd
import pytest
import yaml
from mlops_platform import cli, settings
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evaluation import bootstrap
from mlops_platform.evaluation.metrics import METRICS
from mlops_platform.models import dataset, folds
from mlops_platform.steps import prepare
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor, StackingRegressor
from sklearn.feature_selection import RFECV
from sklearn.linear_model import LassoCV, LinearRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import Pipeline, make_pipeline

PARTS = prepare.PARTS


def panel(people: int, seed: int, first: int = 0) -> pd.DataFrame:
    """Wages of people in five interviews each: schooling counts a little, the person a lot.

    What is measured once, such as the distance to work, tells the person.
    """
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 3, people)
    once = pd.DataFrame(
        {
            "person_id": np.arange(first, first + people),
            "schooling": rng.normal(12, 2, people).round(2),
            "distance": rng.gamma(2, 5, people).round(3),
        }
    )
    rows = once.loc[once.index.repeat(5)].reset_index(drop=True)
    rows["overtime"] = rng.gamma(2, 2, len(rows)).round(2)
    rows["wage"] = 10 + 2 * rows["schooling"] + ability.repeat(5) + rng.normal(0, 1, len(rows))
    return rows.sample(frac=1, random_state=seed, ignore_index=True)


CONTRACT = {
    "min_rows": 100,
    "columns": {
        "person_id": {"kind": "integer", "role": "group"},
        "schooling": {"kind": "number"},
        "distance": {"kind": "number"},
        "overtime": {"kind": "number"},
        "wage": {"kind": "number", "role": "target"},
    },
}


def plan(workspace, by: str, role: str = "group", seed: int = 0) -> Contract:
    """Write contract and split of the panel."""
    columns = CONTRACT["columns"] | {"person_id": {"kind": "integer", "role": role}}
    path = workspace.conf / "data.yml"
    path.write_text(yaml.safe_dump(CONTRACT | {"columns": columns}))
    split = {"by": by, "validation": 0.2, "test": 0.2}
    workspace.change("train.yml", split=split, seed=seed)
    return load_contract(path, "regression")


def divide(workspace, rows: pd.DataFrame, out: str = "out") -> dict[str, pd.DataFrame]:
    rows.to_csv(workspace.raw / "wages.csv", index=False)
    prepare.run(workspace.conf, workspace.raw, workspace.root / out)
    return {part: pd.read_parquet(workspace.root / out / f"{part}.parquet") for part in PARTS}


def people(parts: dict[str, pd.DataFrame]) -> dict[str, set[int]]:
    return {name: set(part["person_id"]) for name, part in parts.items()}


def test_a_random_split_overstates_what_new_people_get_and_the_grouped_one_does_not(regression):
    rows, unseen = panel(600, seed=0), panel(600, seed=1, first=1000)
    found = {}
    for by, role in (("random", "ignored"), ("group", "group")):
        contract = plan(regression, by, role)
        parts = divide(regression, rows, by)
        model = RandomForestRegressor(30, random_state=0)
        model.fit(parts["train"][contract.features], parts["train"]["wage"])
        found[by], new = (
            METRICS["r2"].compute(table["wage"].to_numpy(), model.predict(table[contract.features]))
            for table in (parts["test"], unseen)
        )
        found[f"new after {by}"] = new
    assert found["random"] > found["new after random"] + 0.3, found
    assert abs(found["group"] - found["new after group"]) < 0.15, found


def test_no_person_is_in_two_parts_and_the_shares_are_near(regression):
    plan(regression, "group")
    rows = panel(400, seed=0)
    parts = divide(regression, rows)
    found = people(parts)
    assert sum(map(len, found.values())) == 400
    assert sum(map(len, parts.values())) == len(rows)
    shares = {name: len(part) / len(rows) for name, part in parts.items()}
    assert shares == pytest.approx({"train": 0.6, "validation": 0.2, "test": 0.2}, abs=0.05)


def test_a_person_keeps_its_part_when_rows_come_in_another_order_and_data_grows(regression):
    plan(regression, "group")
    rows = panel(200, seed=0)
    divide(regression, rows, "one")
    before = people(divide(regression, rows, "two"))
    assert hash_path(regression.root / "one") == hash_path(regression.root / "two")
    more = pd.concat([panel(100, seed=2, first=500), rows.iloc[::-1], rows.assign(overtime=1.0)])
    after = people(divide(regression, more))
    assert all(before[part] < after[part] for part in PARTS)
    plan(regression, "group", seed=1)
    assert people(divide(regression, rows))["test"] != before["test"]


def test_too_few_groups_for_three_parts_say_how_many_there_are(regression):
    plan(regression, "group")
    rows = panel(200, seed=0)
    rows["person_id"] %= 2
    with pytest.raises(UsageError, match=r"field `split`: only 0 rows fall into .*of 2 groups"):
        divide(regression, rows)
    assert not (regression.root / "out").exists()


@pytest.mark.parametrize(
    ("by", "role", "says"),
    [
        ("group", "ignored", "'group' needs a column with `role: group`"),
        ("random", "group", "puts rows of one `person_id`, which has `role: group`"),
        ("id", "ignored", "'id' needs a column with `role: id`"),
        ("time", "ignored", "'time' needs a column with `role: time`"),
        ("group", "group", ""),
    ],
)
def test_a_split_that_contradicts_the_contract_is_named_before_anything_runs(
    regression, by, role, says
):
    plan(regression, by, role)
    found = [line for line in settings_check.find_problems(regression.conf) if "`split" in line]
    assert [says in line for line in found] == ([True] if says else [])
    if says:
        with pytest.raises(UsageError, match=says):
            divide(regression, panel(50, seed=0))


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ({"kind": "number"}, "needs a text, an integer or a category"),
        ({"kind": "integer", "missing": 0.1}, "`missing` is not allowed for `role: group`"),
    ],
)
def test_a_column_that_cannot_be_a_group_is_refused(regression, column, says):
    plan(regression, "group")
    columns = CONTRACT["columns"] | {"person_id": column | {"role": "group"}}
    regression.change("data.yml", columns=columns)
    with pytest.raises(UsageError, match=says):
        load_contract(regression.conf / "data.yml", "regression")


TORN: list[int] = []


class Watch(LinearRegression):
    """Notes how many people of the rows that it predicts it was fitted on; the first column."""

    def fit(self, rows, target):
        """Fit, and note the people."""
        self.seen_ = set(np.asarray(rows)[:, 0])
        return super().fit(rows, target)

    def predict(self, rows):
        """Predict, and note the people of before."""
        TORN.append(len(self.seen_ & set(np.asarray(rows)[:, 0])))
        return super().predict(rows)


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose first feature tells the person."""
    return rows.assign(schooling=rows["person_id"].astype(float)).astype("float64")


MODELS = {
    "a search": GridSearchCV(Watch(), {"fit_intercept": [True, False]}, cv=3),
    "folds by scikit-learn's default": GridSearchCV(Watch(), {"fit_intercept": [True]}),
    "a GroupKFold": GridSearchCV(Watch(), {"fit_intercept": [True]}, cv=GroupKFold(4)),
    "a stack": StackingRegressor([("a", Watch()), ("b", LinearRegression())], cv=3),
    "in a pipeline": make_pipeline(
        "passthrough", GridSearchCV(Watch(), {"fit_intercept": [True]}, cv=3)
    ),
    "a copy": TransformedTargetRegressor(GridSearchCV(Watch(), {"fit_intercept": [True]}, cv=3)),
}


@pytest.mark.parametrize("name", MODELS)
def test_no_fold_within_a_model_tears_a_person_apart(regression, name):
    contract = plan(regression, "group")
    model = clone(MODELS[name])
    before = repr(model)
    pipeline = Pipeline([("features", "passthrough"), ("model", model)])
    TORN.clear()
    dataset.fit(pipeline, typed(panel(40, seed=0)), contract)
    assert TORN
    assert set(TORN) == {0}
    assert repr(model) == before
    assert not list(left(pipeline, set()))


def left(part: object, seen: set[int]) -> list[object]:
    """Folds that the fit left within a fitted object."""
    if id(part) in seen:
        return []
    seen.add(id(part))
    inner = part if isinstance(part, (list, tuple)) else []
    inner = list(part.values()) if isinstance(part, dict) else inner
    inner = list(vars(part).values()) if isinstance(part, BaseEstimator) else inner
    found = [part] if type(part).__module__ == folds.__name__ else []
    return found + [each for value in inner for each in left(value, seen)]


def test_a_search_without_groups_tears_people_apart(regression):
    """What the test above would miss if it saw nothing."""
    contract = plan(regression, "random", "ignored")
    TORN.clear()
    pipeline = Pipeline([("features", "passthrough"), ("model", clone(MODELS["a search"]))])
    dataset.fit(pipeline, typed(panel(40, seed=0)), contract)
    assert min(TORN) > 0


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LassoCV(cv=KFold(3)), r"`model__cv` is KFold.*puts rows of one group \(`person_id`"),
        (
            StackingRegressor([("a", LassoCV(cv=3)), ("b", LinearRegression())], cv=3),
            "`model__a__cv` divides what `model__cv` has divided",
        ),
    ],
)
def test_a_model_that_would_tear_people_apart_is_refused(regression, model, says):
    contract = plan(regression, "group")
    with pytest.raises(UsageError, match=says):
        dataset.fit(
            Pipeline([("features", "passthrough"), ("model", model)]),
            typed(panel(40, seed=0)),
            contract,
        )


def test_a_transformer_in_a_column_transformer_is_saved_as_it_was(regression):
    contract = plan(regression, "group")
    chosen = RFECV(LinearRegression(), cv=3)
    pipeline = Pipeline(
        [
            ("features", ColumnTransformer([("chosen", chosen, contract.features)])),
            ("model", LinearRegression()),
        ]
    )
    dataset.fit(pipeline, typed(panel(40, seed=0)), contract)
    assert pipeline["features"].named_transformers_["chosen"].cv == chosen.cv == 3
    assert not left(pipeline, set())


def test_training_rows_of_one_group_cannot_be_checked(regression):
    contract = plan(regression, "group")
    rows = panel(40, seed=0).assign(person_id=1)
    with pytest.raises(UsageError, match=r"`columns\.person_id`: all 200 rows .* one group"):
        folds.of_rows(rows, contract, 5, seed=0)
    rows.loc[0, "person_id"] = 2
    assert len(folds.of_rows(rows, contract, 5, seed=0)) == 2


def test_an_interval_of_rows_that_are_alike_is_as_wide_as_one_of_their_groups():
    rng = np.random.default_rng(0)
    groups = np.arange(100).repeat(20)
    values = rng.normal(size=100).repeat(20)

    def width(**more: object) -> float:
        drawn = bootstrap.estimates(
            2000, lambda counts: float(counts @ values / counts.sum()), times=400, seed=0, **more
        )
        low, high = bootstrap.interval(drawn, 0.95)
        return high - low

    assert width(groups=groups) == pytest.approx(2 * 1.96 / 10, rel=0.15)
    assert width() < width(groups=groups) / 3


def test_a_draft_of_a_panel_splits_by_the_person_and_trains(regression, capsys):
    rows = panel(150, seed=0)
    rows.to_csv(regression.raw / "wages.csv", index=False)
    conf = ["--conf", str(regression.conf)]
    cli.invoke(["data", "draft", str(regression.raw), "--target", "wage", "--replace", *conf])
    said = " ".join(capsys.readouterr().out.split())
    assert "`person_id`: 150 values in 750 rows: rows of one stay in one part" in said
    columns = yaml.safe_load((regression.conf / "data.yml").read_text())["columns"]
    assert columns["person_id"] == {"kind": "integer", "role": "group"}
    assert settings.load_train(regression.conf).split.by == "group"
    regression.change("gates.yml", resamples=100)
    regression.pipeline(until="evaluate")


def test_a_draft_with_a_time_names_the_group_and_splits_by_time(regression, capsys):
    rows = panel(150, seed=0)
    rows["day"] = pd.date_range("2024-01-01", periods=len(rows)).astype(str)
    rows.to_csv(regression.raw / "wages.csv", index=False)
    conf = ["--conf", str(regression.conf)]
    cli.invoke(["data", "draft", str(regression.raw), "--target", "wage", "--replace", *conf])
    assert "write `by: group` into conf/train.yml" in " ".join(capsys.readouterr().out.split())
    assert settings.load_train(regression.conf).split.by == "time"
    found = load_contract(regression.conf / "data.yml", "regression")
    assert found.named("group") == ["person_id"]
