"""Measures all facts of a project, and takes the word of people for what cannot be measured."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.maturity import signed
from mlops_platform.maturity.facts import FACTS, Fact
from mlops_platform.maturity.finding import Finding, Verdict, no, unknown, yes
from mlops_platform.maturity.sources import Sources


@dataclass(frozen=True)
class Measured:
    """A fact and what was found of it."""

    fact: Fact
    finding: Finding

    @property
    def verdict(self) -> Verdict:
        """Yes, no or unknown."""
        return self.finding.verdict

    def plain(self) -> dict[str, str | int]:
        """As JSON has it."""
        fact = self.fact
        return {
            "fact": fact.id,
            "dimension": fact.dimension,
            "level": fact.level,
            "kind": fact.kind,
            "asks": fact.asks,
            "verdict": self.verdict,
            "where": self.finding.where,
            "command": fact.command,
        }


def measure(sources: Sources) -> list[Measured]:
    """Measure all facts."""
    signatures = {each.fact: each for each in signed.load(sources.conf)}
    return [Measured(fact, _find(fact, sources, signatures.get(fact.id))) for fact in FACTS]


def measure_folder(root: Path, today: datetime.date) -> list[Measured]:
    """Measure all facts of the project in a folder."""
    return measure(Sources(root, today))


def require_signable(name: str, sources: Sources) -> Fact:
    """The fact that a person may vouch for: one that cannot be measured, or not from here.

    Raises:
        UsageError: there is no such fact, it is measured, or a file that it needs is wrong.
    """
    fact = next((fact for fact in FACTS if fact.id == name), None)
    if fact is None:
        signable = ", ".join(fact.id for fact in FACTS if fact.measure is None)
        raise UsageError(
            f"--sign {name}: is no fact. A person can sign {signable}, and what "
            "`uv run poe readiness` calls unknown."
        )
    found = fact.measure(sources) if fact.measure else None
    if found is not None and found.verdict != "unknown":
        raise UsageError(
            f"--sign {name}: is measured, and {found.verdict}: {found.where}. Next: {fact.command}."
        )
    return fact


def _find(fact: Fact, sources: Sources, signature: signed.Signature | None) -> Finding:
    """What is measured; a signature counts where that is unknown, and no file is wrong."""
    if fact.measure is None:
        found = no(f"conf/{signed.FILE}: not signed")
    else:
        try:
            found = fact.measure(sources)
        except UsageError as error:
            return unknown(str(error).splitlines()[0])
        if found.verdict != "unknown":
            return found
    if signature is None:
        return found
    where = f"conf/{signed.FILE}: signed by the {signature.role}, until {signature.until}"
    return yes(where) if signature.until >= sources.today else no(f"{where}, which is over")
