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


def require_signable(name: str) -> Fact:
    """The fact that a person may sign.

    Raises:
        UsageError: there is no such fact, or a program measures it.
    """
    signable = {fact.id: fact for fact in FACTS if fact.measure is None or fact.id == "ci-passed"}
    if name not in signable:
        kind = "is measured" if name in {fact.id for fact in FACTS} else "is no fact"
        raise UsageError(f"--sign {name}: {kind}; a person can sign {', '.join(signable)}.")
    return signable[name]


def _find(fact: Fact, sources: Sources, signature: signed.Signature | None) -> Finding:
    """What is measured; a signature counts where that is unknown."""
    try:
        found = fact.measure(sources) if fact.measure else no(f"conf/{signed.FILE}: not signed")
    except UsageError as error:
        return unknown(str(error).splitlines()[0])
    if signature is None or (fact.measure and found.verdict != "unknown"):
        return found
    where = f"conf/{signed.FILE}: signed by the {signature.role}, until {signature.until}"
    return yes(where) if signature.until >= sources.today else no(f"{where}, which is over")
