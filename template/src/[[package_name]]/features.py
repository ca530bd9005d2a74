"""Yours: what the model sees. Training and scoring share it, so they cannot differ."""

from mlops_platform.data.contract import Contract
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


def build(contract: Contract) -> ColumnTransformer:
    """Gaps filled and marked, categories as one column a value; `contract` is conf/data.yml."""
    numbers = SimpleImputer(strategy="median", add_indicator=True)
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="(missing)"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, contract.numeric_features),
            ("categories", categories, contract.categorical_features),
        ]
    )
