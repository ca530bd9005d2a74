"""Batch scoring: every row of a file is either scored or rejected with a reason."""

import numpy as np
import pandas as pd
import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.data.reader import write
from mlops_platform.models import artifact, dataset
from mlops_platform.models.rows import read_rows

from .conftest import TEAM, changed, first


def score(workspace, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    write(rows, workspace.root / "today.csv", workspace.contract.source)
    folders = workspace.pipeline("batch", data=workspace.root / "today.csv")
    scores = folders["score"] / "scores"
    return pd.read_csv(scores / "scores.csv"), pd.read_csv(scores / "rejects.csv")


def test_every_row_is_scored(served, raw):
    scored, rejected = score(served, raw)
    assert list(scored["row"]) == list(range(1, len(raw) + 1))
    assert set(scored["version"]) == {1}
    assert rejected.empty


def test_scores_are_what_the_model_predicts(served, raw, contract):
    scored, _ = score(served, raw.head(50))
    rows = read_rows(raw.head(50), contract, TEAM).typed[contract.features]
    model = artifact.load(served.step("train") / "model", TEAM)
    expected = dataset.predict(model, rows, contract.labels)
    columns = [f"probability_{label}" for label in contract.labels] or "value"
    np.testing.assert_allclose(scored[columns], expected, atol=1e-12)


def test_the_target_is_not_needed(served, raw, contract):
    scored, _ = score(served, raw.head(50)[contract.requested])
    assert len(scored) == 50


def test_a_bad_row_is_rejected_and_the_others_are_scored(served, raw, contract):
    name = first(contract, numeric=True, role="feature")
    rows = changed(raw.head(50), name, raw[name].astype(object))
    rows.loc[3, name] = "many"
    scored, rejected = score(served, rows)
    assert len(scored) == 49
    assert list(rejected["row"]) == [4]
    assert list(rejected["column"]) == [name]


def test_an_unknown_column_is_named(served, raw):
    with pytest.raises(UsageError, match="surprise"):
        score(served, changed(raw.head(50), "surprise", 1))
