"""The model card: facts from the run and its settings, and texts from conf/model_card.yml.

Sections are those of Mitchell et al., Model Cards for Model Reporting (2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_platform import settings
from mlops_platform.core import placeholders
from mlops_platform.core.files import read_yaml
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.report.collect import Run
from mlops_platform.settings import Gates, Project, Settings, parse

SOURCE = "model_card.yml"
FILE = "model_card.md"
MIN_LETTERS = 10


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


class MetricReason(Settings):
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


class Fields(Settings):
    """conf/model_card.yml. An absent field counts as not filled in."""

    model_details: Details = Details()
    intended_use: Use = Use()
    factors: Factors = Factors()
    metrics: MetricReason = MetricReason()
    evaluation_data: Motivation = Motivation()
    training_data: Motivation = Motivation()
    ethical_considerations: Considerations = Considerations()
    caveats_and_recommendations: Caveats = Caveats()


@dataclass(frozen=True)
class Line:
    """One line of the card. `field` is its field in conf/model_card.yml; empty for facts."""

    label: str
    text: str
    field: str = ""

    @property
    def filled(self) -> bool:
        """Whether the text is long enough and has no placeholder."""
        if self.field and placeholders.find(self.text):
            return False
        return len(self.text.strip()) >= (MIN_LETTERS if self.field else 1)


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
        """Lines that are not filled in, by their field in conf/model_card.yml or their label."""
        empty = [line for line in self.lines if not line.filled]
        return [f"`{line.field}`" if line.field else f"{line.label} (no run)" for line in empty]

    @property
    def completeness(self) -> str:
        """The number of lines that are filled in."""
        return f"{len(self.lines) - len(self.gaps)} of {len(self.lines)} lines are filled in"

    def markdown(self) -> str:
        """The card as Markdown."""
        parts = [f"# Model card: {self.name}\n", f"{self.completeness}.\n"]
        for title, lines in self.sections.items():
            parts.append(f"## {title}\n")
            parts.append("".join(f"- **{line.label}**: {_format_text(line)}\n" for line in lines))
        return "\n".join(parts)


def load_fields(conf: Path) -> Fields:
    """Read conf/model_card.yml; without the file, no field is filled in."""
    path = conf / SOURCE
    return parse(Fields, read_yaml(path), path) if path.is_file() else Fields()


def build_card(conf: Path, run: Run) -> Card:
    """Build the card of a run.

    Raises:
        UsageError: a wrong field in conf/model_card.yml.
    """
    texts = load_fields(conf)
    project, gates = settings.load_project(conf), settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    facts = _facts(run, project, gates, contract)
    return Card(
        project.name,
        {
            section.replace("_", " ").capitalize(): [
                *(Line(label, text) for label, text in facts.get(section, [])),
                *(
                    Line(name.replace("_", " ").capitalize(), text, f"{section}.{name}")
                    for name, text in dict(getattr(texts, section, ())).items()
                ),
            ]
            for section in ORDER
        },
    )


# Mitchell's order. Sections without a field in conf/model_card.yml have only facts.
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


def _format_text(line: Line) -> str:
    return " ".join(line.text.split()) if line.filled else "*not filled in*"


def _facts(
    run: Run, project: Project, gates: Gates, contract: Contract
) -> dict[str, list[tuple[str, str]]]:
    training, evaluation, split = run.training, run.evaluation, run.split
    version = run.registration
    rows = split.rows if split else {}
    limits = [
        f"{limit.metric} at {'least' if limit.min is not None else 'most'} "
        f"{limit.min if limit.min is not None else limit.max:g}"
        for limit in gates.quality
    ]
    return {
        "model_details": [
            ("Developed by", f"{project.team}, {project.contact}"),
            ("Version", f"{version.version}, {run.role}" if version else ""),
            ("Date", training.began[:10] if training else ""),
            ("Parameters", _format_parameters(training.parameters) if training else ""),
            ("Commit", training.git_commit if training else ""),
        ],
        "intended_use": [
            ("Summary", project.description),
            ("Predicts", _describe_target(contract)),
        ],
        "factors": [("Groups", ", ".join(contract.named("sensitive")) or "none in conf/data.yml")],
        "metrics": [
            ("Primary metric", gates.metric),
            *_decision(run, contract),
            ("Limits", "; ".join(limits) or "none"),
            (
                "Intervals",
                f"bootstrap with {gates.resamples} resamples, confidence {gates.confidence:g}",
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
        "ethical_considerations": _ethics(run),
        "caveats_and_recommendations": [
            (f"With {each.name}", f"{each.value:.4f}, worse by {each.worse_by:.4f}")
            for each in (evaluation.robustness if evaluation else [])
        ],
    }


def _decision(run: Run, contract: Contract) -> list[tuple[str, str]]:
    """How the label is decided, if there are classes."""
    if not contract.labels or run.training is None:
        return []
    training = run.training
    if training.threshold is None:
        return [("Decision", "the most probable class")]
    positive = contract.labels[-1]
    return [
        (
            "Decision",
            f"{positive} from a probability of {training.threshold:.4g} on; "
            f"{training.threshold_from}",
        )
    ]


def _describe_target(contract: Contract) -> str:
    """The target's name, description and classes."""
    column = contract.columns[contract.target]
    about = f", {column.about}" if column.about else ""
    classes = f": {', '.join(contract.labels)}" if contract.labels else ""
    return f"{contract.target}{about}{classes}"


def _analyses(run: Run) -> Iterator[tuple[str, str]]:
    """Metrics overall, by group, and by intersection of two groups."""
    if run.evaluation is None:
        yield "Overall", ""
        return
    for measure in run.evaluation.measures:
        yield measure.name, _format_value(measure.value, measure.low, measure.high)
    for group in run.evaluation.groups:
        name = f"{run.evaluation.metric}, {group.column} {group.group}"
        yield name, f"{_format_value(group.value, group.low, group.high)}; {group.rows} rows"
    for check in run.ethics.checks if run.ethics else []:
        for each in check.groups:
            if "," in each.group:  # an intersection of two columns
                value = _format_value(each.distance, each.low, each.high)
                yield f"{check.id}, {each.group}", f"{value}; {each.rows} rows; {each.word}"


def _ethics(run: Run) -> list[tuple[str, str]]:
    if run.ethics is None:
        return []
    passed = sum(check.accepted for check in run.ethics.checks)
    total = len(run.ethics.checks)
    return [("Checks", f"{passed} of {total} passed or waived, stage {run.ethics.stage}")]


def _format_value(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "too few rows"
    if low is None or high is None:
        return f"{value:.4f}"
    return f"{value:.4f} ({low:.4f} to {high:.4f})"


def _format_parameters(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "none"
