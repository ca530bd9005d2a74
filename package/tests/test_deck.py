"""`poe deck`: ten slides of what the project's own files and evidence say."""

import re
from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest
from mlops_platform import evidence
from mlops_platform.report import card, deck
from mlops_platform.report.collect import Run
from mlops_platform.settings import Project

from package.tests.workspaces import Workspace

Mlops = Callable[..., tuple[int, str, str]]
PROJECT = Project(
    name="loans",
    description="Which loans <default>",
    team="Lending & Co",
    contact="a@example.com",
    task="classification",
    stage="explore",
    regulated=False,
)
NOTHING = deck.Facts(
    project=PROJECT,
    texts=card.Fields(),
    run=Run(),
    tiles=[],
    steps=["validate", "train", "report"],
    prices=[("the last training", "no training is recorded")],
    stage="explore",
    criteria=[("Is there a <sponsor>?", "open"), ("Is it better?", "met"), ("Who?", "unknown")],
    maturity="Maturity level 0 of 4",
    today=date(2026, 5, 8),
)


def shown(workspace: Workspace, mlops: Mlops) -> str:
    """The page's text, without tags."""
    code, out, _ = mlops(workspace, "deck")
    assert (code, out) == (0, "outputs/deck.html\n")
    page = (workspace.root / "outputs" / "deck.html").read_text(encoding="utf-8")
    assert page.count("<section") == 10
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_a_champion_is_told_in_ten_slides(serving: Workspace, mlops: Mlops) -> None:
    text = shown(serving, mlops)
    measured = evidence.read(
        evidence.Evaluation, serving.step("evaluate") / "evidence" / "evaluation.json"
    )
    (roc_auc,) = [each for each in measured.measures if each.name == "roc_auc"]
    interval = f"({roc_auc.low:.3f} to {roc_auc.high:.3f})"
    assert f"roc_auc {roc_auc.value:.3f} {interval} on new rows; a constant has 0.500." in text
    assert "a person promotes champion" in text
    assert "600; they keep every rule of the contract" in text
    assert "roc_auc, " in text and "ethics not checked since the last run" in text
    assert "Is a sponsor named? open" in text
    assert "Maturity level 0 of 4" in text


def test_a_run_that_a_gate_stopped_shows_where(trained: Workspace, mlops: Mlops) -> None:
    path = trained.raw / "credit.csv"
    frame = pd.read_csv(path)
    frame.loc[0, "income"] = -1
    frame.to_csv(path, index=False)
    assert mlops(trained, "run", "pipelines/train.yml")[0] == 1
    text = shown(trained, mlops)
    assert "The last run stopped at validate: income: " in text
    assert "validate stopped prepare not run" in text
    assert "they violate 1 rule of the contract" in text
    assert "How good it is not measured: the last run stopped at validate" in text
    assert "no run yet" not in text


def test_nothing_yet_is_said_and_texts_are_escaped() -> None:
    page = deck.render(NOTHING)
    assert page.count("<section") == 10
    assert "Which loans &lt;default&gt;" in page
    assert "Is there a &lt;sponsor&gt;?" in page
    assert "<sponsor>" not in page
    assert page.count("no run yet") >= 3
    assert page.count("not written yet: <code>conf/model_card.yml</code>") >= 4
    assert "http" not in page


@pytest.mark.parametrize(("state", "tone"), [("met", "good"), ("open", "bad"), ("unknown", "warn")])
def test_only_what_is_met_is_good(state: str, tone: str) -> None:
    assert f'<dd class="{tone}">{state}</dd>' in deck.render(NOTHING)


def test_placeholders_are_no_answers() -> None:
    texts = card.Fields(intended_use=card.Use(primary_uses="TODO: which decisions"))
    slide = deck.slides(deck.Facts(**{**vars(NOTHING), "texts": texts}))[1]
    assert slide.sentence == "not written yet: `conf/model_card.yml`"
