"""The model card: what the run and conf/ know, and what people wrote into conf/model_card.yml.

Sections are those of Mitchell et al., Model Cards for Model Reporting (2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_platform import settings
from mlops_platform.core import placeholders
from mlops_platform.core.files import read_yaml
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.report.collect import Run
from mlops_platform.settings import Gates, Project, Settings, parse

SEED = "model_card.yml"
FILE = "model_card.md"
FEWEST_LETTERS = 10


class Details(Settings):
    """Model details."""

    licence: str = ""


class Use(Settings):
    """Intended use."""

    primary_uses: str = ""
    primary_users: str = ""
    out_of_scope: str = ""


class Factors(Settings):
    """Factors."""

    relevant: str = ""


class Why(Settings):
    """Metrics."""

    why: str = ""


class Motivation(Settings):
    """Evaluation data, and training data."""

    motivation: str = ""


class Considerations(Settings):
    """Ethical considerations."""

    risks: str = ""
    mitigations: str = ""


class Caveats(Settings):
    """Caveats and recommendations."""

    caveats: str = ""
    recommendations: str = ""


class Seed(Settings):
    """conf/model_card.yml. A field that is not there is one that nobody has filled in."""

    model_details: Details = Details()
    intended_use: Use = Use()
    factors: Factors = Factors()
    metrics: Why = Why()
    evaluation_data: Motivation = Motivation()
    training_data: Motivation = Motivation()
    ethical_considerations: Considerations = Considerations()
    caveats_and_recommendations: Caveats = Caveats()


@dataclass(frozen=True)
class Line:
    """One line of the card. `field` is its place in conf/model_card.yml; empty where a run says."""

    label: str
    text: str
    field: str = ""

    @property
    def filled(self) -> bool:
        """Whether it says something."""
        if self.field and placeholders.find(self.text):
            return False
        return len(self.text.strip()) >= (FEWEST_LETTERS if self.field else 1)


@dataclass(frozen=True)
class Card:
    """All sections by title, in Mitchell's order."""

    name: str
    sections: dict[str, list[Line]]

    @property
    def lines(self) -> list[Line]:
        """The lines of all sections."""
        return [line for lines in self.sections.values() for line in lines]

    @property
    def gaps(self) -> list[str]:
        """What is not filled in, by its field in conf/model_card.yml or the line's own name."""
        empty = [line for line in self.lines if not line.filled]
        return [f"`{line.field}`" if line.field else f"{line.label} (no run)" for line in empty]

    @property
    def completeness(self) -> str:
        """How much is filled in."""
        return f"{len(self.lines) - len(self.gaps)} of {len(self.lines)} lines are filled in"

    def markdown(self) -> str:
        """The card as a page of Markdown."""
        parts = [f"# Model card: {self.name}\n", f"{self.completeness}.\n"]
        for title, lines in self.sections.items():
            parts.append(f"## {title}\n")
            parts.append("".join(f"- **{line.label}**: {_shown(line)}\n" for line in lines))
        return "\n".join(parts)


def load_seed(conf: Path) -> Seed:
    """Read conf/model_card.yml; where there is none, nobody has filled in anything."""
    path = conf / SEED
    return parse(Seed, read_yaml(path), path) if path.is_file() else Seed()


def make(conf: Path, run: Run) -> Card:
    """The card of a run.

    Raises:
        UsageError: a wrong field in conf/model_card.yml.
    """
    seed = load_seed(conf)
    project, gates = settings.load_project(conf), settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    known = _known(run, project, gates, contract)
    return Card(
        project.name,
        {
            section.replace("_", " ").capitalize(): [
                *(Line(label, text) for label, text in known.get(section, [])),
                *(
                    Line(name.replace("_", " ").capitalize(), text, f"{section}.{name}")
                    for name, text in dict(getattr(seed, section, ())).items()
                ),
            ]
            for section in ORDER
        },
    )


# Mitchell's order; what has no field in the seed is said by runs alone.
ORDER = (
    "model_details",
    "intended_use",
    "factors",
    "metrics",
    "evaluation_data",
    "training_data",
    "quantitative_analyses",
    "ethical_considerations",
    "caveats_and_recommendations",
)


def _shown(line: Line) -> str:
    return " ".join(line.text.split()) if line.filled else "*not filled in*"


def _known(
    run: Run, project: Project, gates: Gates, contract: Contract
) -> dict[str, list[tuple[str, str]]]:
    made, measured, split = run.training, run.evaluation, run.split
    version = run.registration
    rows = split.rows if split else {}
    limits = [
        f"{limit.metric} at {'least' if limit.min is not None else 'most'} "
        f"{limit.min if limit.min is not None else limit.max:g}"
        for limit in gates.quality
    ]
    return {
        "model_details": [
            ("Made by", f"{project.team}, {project.contact}"),
            ("Version", f"{version.version}, {version.role}" if version else ""),
            ("Date", made.began[:10] if made else ""),
            ("Parameters", _listed(made.parameters) if made else ""),
            ("Commit", made.git_commit if made else ""),
        ],
        "intended_use": [
            ("In one sentence", project.description),
            ("Predicts", _predicted(contract)),
        ],
        "factors": [("Groups", ", ".join(contract.named("sensitive")) or "none in conf/data.yml")],
        "metrics": [
            ("Decides", gates.metric),
            ("Limits", "; ".join(limits) or "none"),
            (
                "Intervals",
                f"bootstrap of {gates.resamples} resamples, confidence {gates.confidence:g}",
            ),
        ],
        "evaluation_data": [
            ("Rows", f"{rows['test']}, SHA-256 {split.hashes['test']}" if split else ""),
            ("Split", split.description if split else ""),
        ],
        "training_data": [
            ("Rows", str(rows["train"]) if split else ""),
            ("Data", f"SHA-256 {split.data_hash}" if split else ""),
            ("Features", ", ".join(contract.features)),
        ],
        "quantitative_analyses": list(_analyses(run)),
        "ethical_considerations": _verdict(run),
        "caveats_and_recommendations": [
            (f"Under {found.name}", f"{found.value:.4f}, worse by {found.worse_by:.4f}")
            for found in (measured.robustness if measured else [])
        ],
    }


def _predicted(contract: Contract) -> str:
    """The target, in the contract's words."""
    column = contract.columns[contract.target]
    about = f", {column.about}" if column.about else ""
    classes = f": {', '.join(contract.labels)}" if contract.labels else ""
    return f"{contract.target}{about}{classes}"


def _analyses(run: Run) -> Iterator[tuple[str, str]]:
    """Overall, within each group, and where groups meet."""
    if run.evaluation is None:
        yield "Overall", ""
        return
    for measure in run.evaluation.measures:
        yield measure.name, _value(measure.value, measure.low, measure.high)
    for group in run.evaluation.groups:
        name = f"{run.evaluation.metric}, {group.column} {group.group}"
        yield name, f"{_value(group.value, group.low, group.high)}; {group.rows} rows"
    for check in run.ethics.checks if run.ethics else []:
        for found in check.groups:
            if "," in found.group:  # two columns: where groups meet
                bounds = _value(found.distance, found.low, found.high)
                yield f"{check.id}, {found.group}", f"{bounds}; {found.rows} rows; {found.word}"


def _verdict(run: Run) -> list[tuple[str, str]]:
    if run.ethics is None:
        return []
    held = sum(check.holds for check in run.ethics.checks)
    return [("Checks", f"{held} of {len(run.ethics.checks)} hold, stage {run.ethics.stage}")]


def _value(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "too few rows to tell"
    if low is None or high is None:
        return f"{value:.4f}"
    return f"{value:.4f} ({low:.4f} to {high:.4f})"


def _listed(parameters: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "none"
