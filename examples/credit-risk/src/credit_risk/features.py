"""Yours: what the model sees. Training and scoring share it, so they cannot differ."""

import numpy as np
from mlops_platform.data.contract import Contract
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder


def build(contract: Contract) -> ColumnTransformer:
    """Gaps filled and marked, categories as one column a value, texts as weights of their words.

    `contract` is conf/data.yml.
    """
    numbers = SimpleImputer(strategy="median", add_indicator=True)
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="(missing)"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=""),
        FunctionTransformer(np.ravel),
        TfidfVectorizer(max_features=500),
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, contract.numeric_features),
            ("categories", categories, contract.categorical_features),
            *((f"words of {n}", words, [name]) for n, name in enumerate(contract.text_features)),
        ],
        sparse_threshold=0,
    )
