"""Our three modules keep their side: pure functions with scikit-learn's API."""

import numpy as np
from mlops_platform import settings
from mlops_platform.models import artifact, dataset
from mlops_platform.models.rows import for_training
from sklearn.base import clone

from energy_demand import features, model

from .conftest import RAW, ROOT, TEAM


def test_reading_twice_gives_the_same(contract, raw):
    assert for_training(RAW, contract, TEAM).equals(raw)


def test_features_do_not_depend_on_the_rows_beside(contract, typed):
    rows = typed[contract.features]
    fitted = features.build(contract).fit(rows)
    together, alone = fitted.transform(rows), fitted.transform(rows.iloc[7:8])
    np.testing.assert_array_equal(np.asarray(together)[7:8], np.asarray(alone))


def test_the_seed_decides_the_model(contract, typed):
    train = settings.load_train(ROOT / "conf")
    rows = features.build(contract).fit_transform(typed[contract.features])
    estimator = model.build(dict(train.parameters), train.seed)
    first, second = (
        clone(estimator).fit(rows, dataset.encode_target(typed, contract)).predict(rows)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_probabilities_are_probabilities(contract, trained):
    rows = dataset.read_part(trained.step("prepare") / "data", "test", contract)
    fitted = artifact.load(trained.step("train") / "model", TEAM)
    predicted = dataset.predict(fitted, rows[contract.features], contract.labels)
    assert np.isfinite(predicted).all()
    if contract.labels:
        np.testing.assert_allclose(predicted.sum(axis=1), 1)
