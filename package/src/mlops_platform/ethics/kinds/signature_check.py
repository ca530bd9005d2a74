"""Checks of kind `manual`: a person answers a question and signs it, in conf/signatures.yml."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml, write_text
from mlops_platform.core.hashes import SHA256, Sha256
from mlops_platform.ethics.config import EthicsConfig, ManualCheck
from mlops_platform.ethics.outcome import Outcome
from mlops_platform.evidence.ethics import Ethics, Signature
from mlops_platform.settings import Settings, parse

FILE = "signatures.yml"
HEADER = (
    "# Written by `uv run mlops ethics sign`. Commit this file.\n"
    "# A signature is valid only for the evidence with this SHA-256.\n"
)


class SignatureEntry(Settings):
    """One signature in the file."""

    check: str
    role: str
    by: Annotated[str, Field(min_length=2)]
    answer: Literal["yes", "no"]
    why: str
    date: datetime.date
    evidence: Sha256


class Signatures(Settings):
    """conf/signatures.yml."""

    signatures: tuple[SignatureEntry, ...] = ()


def load_signatures(conf: Path) -> Sequence[SignatureEntry]:
    """Read all signatures, oldest first; an absent file has none."""
    path = conf / FILE
    return parse(Signatures, read_yaml(path), path).signatures if path.is_file() else ()


def check_signature(
    check: ManualCheck, signatures: Sequence[SignatureEntry], evidence: str, config: EthicsConfig
) -> Outcome:
    """Check that the role signed this evidence with the answer yes.

    The two signatures of a regulated project must be from different people.
    """
    command = (
        f"Run `uv run mlops ethics sign {check.id} --role '{check.role}' --by NAME --answer yes "
        "--why REASON`"
    )
    matching = [each for each in signatures if each.check == check.id and each.role == check.role]
    if not matching:
        return Outcome("failed", f"not signed by the {check.role}", f"{command}.")
    last = matching[-1]
    details = {"signature": Signature(**{**last.model_dump(), "date": str(last.date)})}
    if last.evidence != evidence:
        message = f"{last.by} signed on {last.date}, but the evidence has changed since"
        next_step = f"Review the changes, then sign again. {command}."
        return Outcome("failed", message, next_step, details)
    if last.answer == "no":
        message = f"{last.by} answered no: {last.why}"
        return Outcome("failed", message, f"Fix it together with {last.by}.", details)
    latest = {each.role: each for each in signatures if each.evidence == evidence}
    others = {
        each.by.strip().casefold()
        for role, each in latest.items()
        if role in config.regulated_signatures and role != check.role
    }
    if check.role in config.regulated_signatures and last.by.strip().casefold() in others:
        message = f"{last.by} signed for both roles"
        next_step = f"Two different people must sign. {command} as another person."
        return Outcome("failed", message, next_step, details)
    return Outcome("passed", f"{last.by} answered yes on {last.date}: {last.why}", "", details)


def sign(
    conf: Path,
    ethics: Ethics,
    check: ManualCheck,
    *,
    by: str,
    answer: str,
    why: str,
    today: datetime.date,
) -> Signature:
    """Append a signature for the evidence of `ethics` to conf/signatures.yml.

    Raises:
        UsageError: no name, no reason, or an answer other than yes or no.
    """
    content = {
        "check": check.id,
        "role": check.role,
        "by": by.strip(),
        "answer": answer,
        "why": why.strip(),
        "date": today,
        "evidence": ethics.evidence,
    }
    entry = parse(SignatureEntry, content, Path("--by, --answer and --why"))
    if not entry.why:
        raise UsageError(
            "--why: is empty. Write in a few words what you reviewed. It is stored with your name."
        )
    entries = [
        {**each.model_dump(), "evidence": SHA256 + each.evidence}
        for each in [*load_signatures(conf), entry]
    ]
    text = yaml.safe_dump({"signatures": entries}, sort_keys=False, allow_unicode=True)
    write_text(conf / FILE, HEADER + text)
    return Signature(**{**entry.model_dump(), "date": str(entry.date)})
