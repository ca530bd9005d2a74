"""The model card has the facts of the run, and names each field that is not filled in."""

import shutil
from pathlib import Path

import pytest
import yaml
from mlops_platform.core.errors import UsageError
from mlops_platform.report import card
from mlops_platform.report.collect import Run

from package.tests.workspaces import CREDIT
from tests import planted

MITCHELL = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


@pytest.fixture
def conf(tmp_path) -> Path:
    """Settings of a new project."""
    return Path(shutil.copytree(CREDIT / "conf", tmp_path / "conf"))


def fill(conf: Path, **left: dict[str, str]) -> None:
    """Fill in conf/model_card.yml, but for the fields in `left`."""
    path = conf / card.SOURCE
    sections = yaml.safe_load(path.read_text())
    filled = {
        section: {name: f"A sentence about {name}." for name in fields} | left.get(section, {})
        for section, fields in sections.items()
    }
    path.write_text(yaml.safe_dump(filled))


def test_sections_are_mitchells_in_their_order(conf):
    model_card = card.build_card(conf, planted.run())
    assert list(model_card.sections) == MITCHELL
    headings = [line for line in model_card.markdown().splitlines() if line.startswith("## ")]
    assert headings == [f"## {title}" for title in MITCHELL]


def test_it_says_what_is_predicted(conf):
    texts = {
        line.label: line.text
        for line in card.build_card(conf, planted.run()).sections["Intended use"]
    }
    assert texts["Predicts"] == "outcome: repaid, defaulted"


def test_a_new_card_names_each_field_that_people_must_fill(conf):
    sections = yaml.safe_load((conf / card.SOURCE).read_text())
    fields = [f"`{section}.{name}`" for section, names in sections.items() for name in names]
    model_card = card.build_card(conf, planted.run())
    assert sorted(model_card.gaps) == sorted(fields)
    assert (
        model_card.completeness
        == f"{len(model_card.lines) - len(fields)} of {len(model_card.lines)} "
        + ("lines are filled in")
    )


def test_a_filled_card_has_no_gap_and_says_what_the_run_found(conf):
    fill(conf)
    model_card = card.build_card(conf, planted.run())
    assert model_card.gaps == []
    text = model_card.markdown()
    assert "- **roc_auc**: 0.8000 (0.7500 to 0.8500)" in text
    assert "- **roc_auc, age old**: too few rows; 12 rows" in text
    assert "- **Version**: 4, challenger" in text
    assert "A sentence about out_of_scope." in text
    assert "not filled in" not in text


@pytest.mark.parametrize("text", ["TODO", "", "short", "It is to be defined by the team."])
def test_one_field_without_a_sentence_is_a_gap(conf, text):
    fill(conf, intended_use={"out_of_scope": text})
    assert card.build_card(conf, planted.run()).gaps == ["`intended_use.out_of_scope`"]


def test_without_a_run_its_lines_are_gaps(conf):
    fill(conf)
    gaps = card.build_card(conf, Run()).gaps
    assert {"Version (no run)", "Commit (no run)", "Overall (no run)"} <= set(gaps)


def test_a_card_that_was_deleted_is_all_gaps(conf):
    before = card.build_card(conf, planted.run()).gaps
    (conf / card.SOURCE).unlink()
    assert card.build_card(conf, planted.run()).gaps == before


def test_a_misspelt_field_is_named(conf):
    fill(conf, intended_use={"out_of_scop": "A sentence."})
    with pytest.raises(UsageError, match=r"model_card\.yml, field `intended_use\.out_of_scop`"):
        card.build_card(conf, planted.run())
