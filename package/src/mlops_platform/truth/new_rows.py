"""Labelled rows that the last training did not have."""

from __future__ import annotations

from pathlib import Path

from mlops_platform import settings
from mlops_platform.data import values
from mlops_platform.data.contract import load_contract
from mlops_platform.models import rows, team
from mlops_platform.monitoring.retraining import NewRows
from mlops_platform.tracking import experiments
from mlops_platform.truth import ids, known
from mlops_platform.truth.join import is_in


def count(conf: Path, raw: Path) -> NewRows:
    """Count the rows to train on whose id the last training has not seen.

    Without ids, or after a training of an earlier release, only whether the data is other data.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    code = team.load_team(conf)
    last = next(iter(experiments.runs(conf, limit=1)), None)
    seen = known.last_training(conf)
    names = [name for name in contract.named("id") if name in contract.raw]
    content = rows.ContentHash(raw, contract, code)
    found: set[int] = set()
    for chunk in rows.training_chunks(raw, contract, code):
        content.add(chunk)
        if seen is not None and names and contract.target in chunk:
            labelled = values.without_empty(chunk[contract.target]).notna()
            texts = ids.as_texts(chunk.loc[labelled, names[0]], contract.columns[names[0]])
            hashes = ids.hashed(texts[[text is not None for text in texts]])
            found.update(hashes[~is_in(hashes, seen)].tolist())
    if seen is not None and names:
        return NewRows(len(found))
    return NewRows(changed=last is None or last.data.tags.get("data_hash") != content.value())
