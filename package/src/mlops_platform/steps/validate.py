"""Checks the raw data against the contract. Runs first, so that nothing trains on invalid data."""

from __future__ import annotations

from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError
from mlops_platform.data.contract import load_contract
from mlops_platform.data.rows import check_target
from mlops_platform.models import rows, team


def run(conf: Path, raw: Path, out: Path) -> None:
    """Write `out/validation.json`.

    Raises:
        GateError: a rule of conf/data.yml is violated. This gate blocks at every stage: metrics
            of invalid data mean nothing.
    """
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    code = team.load_team(conf)
    frame = rows.for_training(raw, contract, code)
    findings = rows.findings(frame, contract, code) or check_target(contract, frame)
    evidence.write(
        evidence.Validation(
            rows=len(frame),
            data_hash=rows.content_hash(raw, contract, frame, code),
            findings=findings,
        ),
        out / "validation.json",
    )
    if findings:
        lines = [f"  column `{finding.column}`: {finding.message}" for finding in findings]
        raise GateError(
            f"{raw} violates conf/data.yml:\n" + "\n".join(lines) + "\n"
            "Fix the data, or change the rule in conf/data.yml if the rule is wrong."
        )
