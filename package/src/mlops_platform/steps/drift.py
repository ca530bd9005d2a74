"""Checks current data for drift from the data that the model was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.core.paths import project_root
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.models import artifact, dataset, rows
from mlops_platform.monitoring import drift
from mlops_platform.monitoring.reference import Reference
from mlops_platform.serving import store
from mlops_platform.tracking import remembered


class Compared(NamedTuple):
    """What rows were counted to be, and columns that the contract does not have."""

    comparison: drift.Comparison
    unknown: list[str]


class Data(NamedTuple):
    """What was compared: the file or folder, and the hash of its bytes."""

    path: Path | str
    content: str


def run(conf: Path, current: Path, out: Path, version: str) -> None:
    """Write `out/drift.json`; `version` is a number, or `champion`.

    Only what scoring needs is read. Values that cannot be read count as missing; the evidence lists
    columns that the contract does not have, and they are ignored.

    Raises:
        UsageError: a feature is missing, or there is no such version.
        GateError: a column drifted. This gate fails at every stage: it blocks no release.
    """
    stored = store.fetch(conf, version)
    judge(conf, compare(stored, current), stored, out, Data(current, hash_path(current)))


def compare(stored: store.StoredModel, current: Path) -> Compared:
    """Compare rows with those that a model was trained on.

    Raises:
        UsageError: a feature is missing, or the rows cannot be read.
    """
    card = artifact.load_card(stored.folder)
    contract = load_contract(stored.folder / "contract.yml", card.task)
    reference = evidence.read(Reference, stored.folder / "reference.json")
    fitted = artifact.load(stored.folder, stored.team)
    comparison = drift.Comparison(reference, contract)
    unknown: list[str] = []
    for chunk in rows.raw_chunks(current, contract, stored.team):
        unknown = _unknown_columns(chunk, contract, current, stored.version)
        plain = not contract.derived  # only `derive` asks for rows that keep the contract
        features = rows.read_rows(chunk, contract, stored.team, judged=plain).typed[card.features]
        if len(features):
            comparison.add(features, dataset.predict(fitted, features, card.labels))
    return Compared(comparison, unknown)


def judge(
    conf: Path, compared: Compared, stored: store.StoredModel, out: Path, current: Data
) -> None:
    """Write `out/drift.json`; its message names the data that was compared.

    Raises:
        GateError: a column drifted.
    """
    report = compared.comparison.report(
        settings.load_gates(conf).drift, stored.name, stored.version
    )
    report.unknown_columns = compared.unknown
    report.message += f"; compared: {_describe(conf, stored, current)}"
    evidence.write(report, out / "drift.json")
    if report.verdict == "drift":
        lines = [
            f"  {column.column}: {'; '.join(column.reasons)}"
            for column in report.columns
            if column.drifted
        ]
        raise GateError(
            f"{current.path} has drifted from what version {stored.version} was trained on:\n"
            + "\n".join(lines)
            + "\nSee `uv run poe report`. If the data is wrong, fix its source. If reality has "
            "changed, add newer rows with outcomes to data/raw and run "
            "`uv run poe retrain --why REASON`."
        )


def _describe(conf: Path, stored: store.StoredModel, current: Data) -> str:
    """The path, within the project's folder if it is there; and whether the data is not new."""
    root, path = project_root(conf), Path(current.path)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(current.path)
    if current.content != _data_hash(conf, stored):
        return shown
    return (
        f"{shown}, the data that version {stored.version} was trained on; give newer rows: "
        "`uv run poe monitor --current FILE`"
    )


def _data_hash(conf: Path, stored: store.StoredModel) -> str | None:
    """The hash of the files that a version was trained on; that of a database is of its rows."""
    champion = remembered.recall(conf, stored.name)
    if champion is not None and champion.number == stored.version:
        return champion.tags.get("data_hash")
    # MLflow takes a second to import.
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    return Registry(conf).get(stored.version).tags.get("data_hash")


def _unknown_columns(
    frame: pd.DataFrame, contract: Contract, current: Path, version: str
) -> list[str]:
    """Columns that the contract does not have; a missing or duplicate feature is an error."""
    findings = contract.check_columns(frame, scoring=True)
    problems = [finding for finding in findings if finding.rule != "known"]
    if problems:
        lines = "\n".join(f"  column `{finding.column}`: {finding.message}" for finding in problems)
        raise UsageError(
            f"{current} lacks what version {version} of the model needs:\n{lines}\n"
            "Fix the file, or train a model without the column."
        )
    return [finding.column for finding in findings]
