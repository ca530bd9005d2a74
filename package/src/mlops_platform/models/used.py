"""Which features the team's transformer reads: each of the others is demanded from every caller."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.models.team import Team


def require_used(transformer: Any, contract: Contract, code: Team) -> None:
    """Check that a ColumnTransformer, fitted or not, reads all features of the contract.

    Of a pipeline its first step counts. What another transformer reads cannot be seen, nor what
    one that is not fitted selects by a function.

    Raises:
        UsageError: a feature that no transformer reads.
    """
    used = _used(transformer, contract.features)
    unread = [name for name in contract.features if used is not None and name not in used]
    if not unread:
        return
    text = [name for name in unread if name in contract.text_features]
    advice = "Add a transformer for it"
    if text:
        advice += ", for text one for each of `contract.text_features`, such as TfidfVectorizer "
        advice += "(docs/contract.md shows it)"
    named = ", ".join(f"`{name}`" for name in unread)
    raise UsageError(
        f"{code.path('features')}, build(): no transformer reads {named}, which conf/data.yml has "
        f"as a feature and every request must have. {advice}, or give it `role: ignored`."
    )


def _used(transformer: Any, features: list[str]) -> set[str] | None:
    """Names of the features that it reads; None if that cannot be seen."""
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415  slow, and for this check only
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    if isinstance(transformer, Pipeline):
        return _used(transformer.steps[0][1], features)
    if not isinstance(transformer, ColumnTransformer):
        return None
    fitted = hasattr(transformer, "transformers_")
    parts = transformer.transformers_ if fitted else transformer.transformers
    if not fitted and transformer.remainder != "drop":
        return None
    used: set[str] = set()
    for _, part, columns in parts:
        if isinstance(part, str) and part == "drop":
            continue
        if callable(columns) or isinstance(columns, slice):
            return None
        names: Any = [columns] if np.isscalar(columns) else columns
        if len(names) and not isinstance(names[0], str):
            names = np.asarray(features, dtype=object)[np.asarray(names)]
        used.update(names)
    return used
