"""Checks the raw data against the contract. Runs first, so that nothing trains on invalid data."""

from __future__ import annotations

from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError
from mlops_platform.data.contract import load_contract
from mlops_platform.models import rows, team


def run(conf: Path, raw: Path, out: Path) -> None:
    """Write `out/validation.json`.

    Raises:
        GateError: a rule of conf/data.yml is violated. This gate blocks at every stage: metrics
            of invalid data mean nothing.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    code = team.load_team(conf)
    check = rows.TrainingCheck(contract, code)
    content = rows.ContentHash(raw, contract, code)
    for chunk in rows.training_chunks(raw, contract, code):
        check.add(chunk)
        content.add(chunk)
    findings = check.findings(lambda: rows.training_chunks(raw, contract, code))
    judge(
        evidence.Validation(rows=check.raw.rows, data_hash=content.value(), findings=findings),
        raw,
        out,
    )


def judge(found: evidence.Validation, raw: Path | str, out: Path) -> None:
    """Write `out/validation.json`.

    Raises:
        GateError: a rule of conf/data.yml is violated.
    """
    evidence.write(found, out / "validation.json")
    if findings := found.findings:
        lines = [f"  column `{finding.column}`: {finding.message}" for finding in findings]
        raise GateError(
            f"{raw} violates conf/data.yml:\n" + "\n".join(lines) + "\n"
            "Fix the data, or change the rule in conf/data.yml if the rule is wrong."
        )
