"""Batch scoring: every row of a file is either scored or rejected with a reason."""

import numpy as np
import pandas as pd
import pytest

from energy_demand.mlops import artifact, dataset
from energy_demand.mlops.errors import UsageError


def score(workspace, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows.to_csv(workspace.root / "today.csv", index=False)
    folders = workspace.pipeline("batch", data=workspace.root / "today.csv")
    scores = folders["score"] / "scores"
    return pd.read_csv(scores / "scores.csv"), pd.read_csv(scores / "rejects.csv")


def test_every_row_is_scored(serving, raw):
    scored, rejected = score(serving, raw)
    assert list(scored["row"]) == list(range(1, len(raw) + 1))
    assert set(scored["version"]) == {1}
    assert rejected.empty


def test_scores_are_what_the_model_predicts(serving, raw, contract):
    scored, _ = score(serving, raw.head(50))
    rows = contract.typed(raw.head(50))[0][contract.features]
    model = artifact.load(serving.step("train") / "model")
    expected = dataset.predict(model, rows, contract.labels)
    columns = [f"probability_{label}" for label in contract.labels] or "value"
    np.testing.assert_allclose(scored[columns], expected, atol=1e-12)


def test_the_target_is_not_needed(serving, raw, contract):
    scored, _ = score(serving, raw.head(50)[contract.features])
    assert len(scored) == 50


def test_a_bad_row_is_rejected_and_the_others_are_scored(serving, raw, contract):
    name = contract.numeric_features[0]
    rows = raw.head(50).assign(**{name: raw[name].astype(object)})
    rows.loc[3, name] = "many"
    scored, rejected = score(serving, rows)
    assert len(scored) == 49
    assert list(rejected["row"]) == [4]
    assert list(rejected["column"]) == [name]


def test_an_unknown_column_is_named(serving, raw):
    with pytest.raises(UsageError, match="surprise"):
        score(serving, raw.head(50).assign(surprise=1))
