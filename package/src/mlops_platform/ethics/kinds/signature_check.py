"""A question for a person, who signs the answer over the evidence: conf/signatures.yml."""

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
from mlops_platform.ethics.finding import Finding
from mlops_platform.ethics.page import Manual, Page
from mlops_platform.evidence.ethics import Ethics, Signature
from mlops_platform.settings import Settings, parse

FILE = "signatures.yml"
HEAD = (
    "# Signed by `uv run mlops ethics sign`, over the evidence with this SHA-256. Commit it.\n"
    "# When the evidence changes, a signature lapses.\n"
)


class Signed(Settings):
    """One signature."""

    check: str
    role: str
    by: Annotated[str, Field(min_length=2)]
    answer: Literal["yes", "no"]
    why: str
    date: datetime.date
    evidence: Sha256


class Signatures(Settings):
    """conf/signatures.yml."""

    signatures: tuple[Signed, ...] = ()


def read(conf: Path) -> Sequence[Signed]:
    """All signatures, oldest first; none where there is no file."""
    path = conf / FILE
    return parse(Signatures, read_yaml(path), path).signatures if path.is_file() else ()


def look(check: Manual, signed: Sequence[Signed], evidence: str, page: Page) -> Finding:
    """Whether the role signed, said yes, and did so over this evidence.

    Of the two signatures of a regulated project, the second must be somebody else's.
    """
    how = (
        f"Run `uv run mlops ethics sign {check.id} --role '{check.role}' --by NAME --answer yes "
        "--why REASON`"
    )
    mine = [each for each in signed if each.check == check.id and each.role == check.role]
    if not mine:
        return Finding("failed", f"not signed by the {check.role}", f"{how}.")
    last = mine[-1]
    figures = {"signature": Signature(**{**last.model_dump(), "date": str(last.date)})}
    if last.evidence != evidence:
        said = f"{last.by} signed on {last.date}, over other evidence"
        return Finding("failed", said, f"Look at what changed, then sign again. {how}.", figures)
    if last.answer == "no":
        said = f"{last.by} says no: {last.why}"
        return Finding("failed", said, f"Mend it together with {last.by}.", figures)
    latest = {each.role: each for each in signed if each.evidence == evidence}
    others = {
        each.by.strip().casefold()
        for role, each in latest.items()
        if role in page.regulated_signatures and role != check.role
    }
    if check.role in page.regulated_signatures and last.by.strip().casefold() in others:
        said = f"{last.by} signed for both roles"
        return Finding("failed", said, f"Two people sign. {how} as another person.", figures)
    return Finding("passed", f"{last.by} said yes on {last.date}: {last.why}", "", figures)


def sign(
    conf: Path, seen: Ethics, check: Manual, *, by: str, answer: str, why: str, today: datetime.date
) -> Signature:
    """Append a signature over the evidence in `seen` to conf/signatures.yml.

    Raises:
        UsageError: no name, no reason, or another answer than yes or no.
    """
    content = {
        "check": check.id,
        "role": check.role,
        "by": by.strip(),
        "answer": answer,
        "why": why.strip(),
        "date": today,
        "evidence": seen.evidence,
    }
    made = parse(Signed, content, Path("--by, --answer and --why"))
    if not made.why:
        raise UsageError("--why: say in a few words what you looked at. It is kept with your name.")
    listed = [
        {**each.model_dump(), "evidence": SHA256 + each.evidence} for each in [*read(conf), made]
    ]
    text = yaml.safe_dump({"signatures": listed}, sort_keys=False, allow_unicode=True)
    write_text(conf / FILE, HEAD + text)
    return Signature(**{**made.model_dump(), "date": str(made.date)})
