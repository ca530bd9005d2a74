"""Features that no transformer reads are refused; texts have a working default."""

import numpy as np
import pandas as pd
import pytest
import yaml
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.models import artifact, used
from mlops_platform.models.team import Team
from mlops_platform.steps import prepare, train
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from package.tests.workspaces import TEAM

TARGET = {"kind": "category", "values": ["no", "yes"], "positive": "yes", "role": "target"}
NOTES = ["a red car", "a blue car", "red and late", "late, again", np.nan] * 8
ROWS = pd.DataFrame({"age__x": range(40), "note": pd.Series(NOTES, dtype=object)})
LABELS = (ROWS["age__x"] % 5 < 2).astype(int)


def contract_of(**columns: dict) -> Contract:
    return Contract.model_validate({"min_rows": 10, "columns": {**columns, "y": TARGET}})


CONTRACT = contract_of(
    age__x={"kind": "integer"}, note={"kind": "text", "missing": 0.5}, memo={"kind": "text"}
)
TEXTS = contract_of(age__x={"kind": "integer"}, note={"kind": "text", "missing": 0.5})


def columns(*parts, **options) -> ColumnTransformer:
    return ColumnTransformer(
        [(f"t{n}", part, names) for n, (part, names) in enumerate(parts)], **options
    )


@pytest.mark.parametrize(
    ("transformer", "unread"),
    [
        (columns(("passthrough", ["age__x"])), "`note`"),
        (columns(("passthrough", ["age__x"]), ("drop", ["note"])), "`note`"),
        (columns(("passthrough", [1])), "`age__x`"),
        (columns(("passthrough", [True, False])), "`note`"),
        (columns(("passthrough", make_column_selector("note"))), "`age__x`"),
        (make_pipeline(columns(("passthrough", ["age__x"])), StandardScaler()), "`note`"),
        (columns(("passthrough", ["age__x"]), remainder="passthrough"), None),
        (columns(("passthrough", ["age__x", "note"])), None),
        (columns(("passthrough", slice(0, 2))), None),
        (StandardScaler(), None),
    ],
)
def test_what_a_fitted_transformer_does_not_read_is_named(transformer, unread):
    if not isinstance(transformer, StandardScaler):
        transformer.fit(ROWS)
    if unread is None:
        used.require_used(transformer, TEXTS, TEAM)
        return
    with pytest.raises(UsageError, match=rf"features\.py, build\(\): no .* reads {unread}, which"):
        used.require_used(transformer, TEXTS, TEAM)


def test_without_a_fit_only_names_can_be_judged():
    for names in (["age__x"], "age__x"):
        with pytest.raises(UsageError, match="reads `note`, which"):
            used.require_used(columns(("passthrough", names)), TEXTS, TEAM)
    for unclear in (
        columns(("passthrough", make_column_selector("age"))),
        columns(("passthrough", ["age__x"]), remainder="passthrough"),
    ):
        used.require_used(unclear, TEXTS, TEAM)


def test_the_seeded_features_read_texts_and_can_be_kept(tmp_path):
    contract = contract_of(age__x={"kind": "integer"}, note={"kind": "text", "missing": 0.5})
    steps = [("features", TEAM.build_features(contract)), ("model", LogisticRegression())]
    pipeline = Pipeline(steps).fit(ROWS, LABELS)
    used.require_used(pipeline["features"], contract, TEAM)
    path = tmp_path / "data.yml"
    path.write_text(yaml.safe_dump(contract.model_dump(by_alias=True, exclude_defaults=True)))
    card = artifact.Card(
        run_id="r", task="classification", labels=["no", "yes"], features=contract.features
    )
    artifact.save(pipeline, tmp_path / "model", TEAM, card=card, contract=path)
    kept = artifact.load(tmp_path / "model", TEAM)
    expected = pipeline.predict_proba(ROWS)
    assert (kept.predict_proba(ROWS) == expected).all()
    assert kept.predict_proba(ROWS.iloc[[4]]) == pytest.approx(expected[[4]])  # a text is missing
    without = ROWS.assign(note="nothing of that")
    assert abs(kept.predict_proba(without) - expected).max() > 0.01  # words count


def test_texts_are_read_only_where_the_contract_has_them():
    contract = contract_of(age__x={"kind": "integer"})
    names = [name for name, _, _ in TEAM.build_features(contract).transformers]
    assert names == ["numbers", "categories"]


def test_train_and_settings_refuse_a_text_that_nothing_reads(workspace, monkeypatch):
    prepare.run(workspace.conf, workspace.raw, workspace.root / "prepared")
    build = Team.build_features

    def without_texts(self: Team, contract: Contract) -> ColumnTransformer:
        made = build(self, contract)
        made.transformers = made.transformers[:2]
        return made

    monkeypatch.setattr(Team, "build_features", without_texts)
    data = yaml.safe_load((workspace.conf / "data.yml").read_text())
    data["columns"]["loan_id"] = {"kind": "text"}
    workspace.change("data.yml", columns=data["columns"])
    with pytest.raises(UsageError, match="no transformer reads `loan_id`"):
        train.run(
            workspace.conf, workspace.root / "prepared", workspace.root / "m", workspace.root, "t"
        )
    problems = settings_check.find_problems(workspace.conf)
    assert [each for each in problems if "no transformer reads `loan_id`" in each]


def test_settings_name_code_that_the_contract_needs(workspace, monkeypatch):
    data = yaml.safe_load((workspace.conf / "data.yml").read_text())
    workspace.change("data.yml", derived={"x": {"kind": "number"}}, source={"separator": ";"})
    monkeypatch.setattr(Team, "has", lambda self, module, function: function == "load")
    problems = "\n".join(settings_check.find_problems(workspace.conf))
    assert "field `derived`: src/credit_risk/data.py has no function `derive`" in problems
    workspace.change("data.yml", derived={}, columns=data["columns"])
    assert "Remove load(), or `source`" in "\n".join(settings_check.find_problems(workspace.conf))
