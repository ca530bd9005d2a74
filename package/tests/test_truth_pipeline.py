"""`poe truth`, from batches to verdicts: what a project's people do, and what they are told."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform import evidence
from mlops_platform.evidence import TruthReport
from mlops_platform.pipelines.outputs import newest
from mlops_platform.tracking import experiments, promised
from mlops_platform.truth import known
from mlops_platform.truth.ledger import Ledger

from package.tests.workspaces import Workspace

Mlops = Callable[..., tuple[int, str, str]]


def rows(noise: float = 0, seed: int = 7) -> pd.DataFrame:
    """New rows of the last three months, with outcomes."""
    frame = sample.make(3000, seed=seed, noise=noise)
    return frame[frame["month"] >= "2025-10"]


def new_rows(workspace: Workspace, noise: float = 0) -> None:
    """Put new rows where a batch and a judge find them: without and with their outcomes."""
    frame = rows(noise)
    for folder, part in (("new", frame.drop(columns="outcome")), ("later", frame)):
        (workspace.root / folder).mkdir()
        part.to_csv(workspace.root / folder / "rows.csv", index=False)


def report(workspace: Workspace) -> TruthReport:
    """What the last judge found."""
    folder = newest(workspace.root / "outputs" / "truth")
    return evidence.read(TruthReport, folder / "judge" / "evidence" / "truth.json")


BATCH = ("run", "pipelines/batch.yml", "--input", "data=new")


def test_batches_are_kept_and_judged_later(serving: Workspace, mlops: Mlops) -> None:
    new_rows(serving)
    count = len(rows())
    for _ in range(2):  # twice the same batch is once in the ledger
        assert mlops(serving, *BATCH)[0] == 0
        assert Ledger.of(serving.conf).rows() == count
    code, out, _ = mlops(serving, "truth", "--labels", "later", "--as-of", "2026-03-01")
    assert code == 0
    assert "version 1, champion: holds: roc_auc is" in out
    found = report(serving)
    (version,) = found.versions
    assert (found.predictions, found.labels, found.repeated, found.unknown) == (count, count, 0, 0)
    assert (version.verdict, version.known, version.window) == ("holds", 0, ["2025-11", "2025-12"])
    champion = serving.registry.champion()
    tag = promised.of_version(champion.tags, "roc_auc")
    assert (version.test, version.test_low, version.test_high) == tag[:3]
    assert version.test_low < version.test < version.test_high
    assert champion.tags["truth"] == "holds"
    assert champion.tags["truth_as_of"] == "2026-03-01"
    assert {group.column for group in version.groups} == {"sex", "age"}

    assert mlops(serving, "report")[0] == 0
    page = (serving.root / "outputs" / "report.html").read_text(encoding="utf-8")
    assert "roc_auc on outcomes that came later, as of 2026-03-01" in page
    assert "<strong>Version 1</strong>, champion: roc_auc is" in page
    assert "1, sex = female" in page


def test_a_row_without_an_end_only_waits_for_its_outcome(serving: Workspace, mlops: Mlops) -> None:
    new_rows(serving)
    file = serving.root / "new" / "rows.csv"
    frame = pd.read_csv(file)
    frame.loc[0, "month"] = "9999-12-31"
    frame.to_csv(file, index=False)
    mlops(serving, *BATCH)
    assert mlops(serving, "truth", "--labels", "later", "--as-of", "2026-03-01")[0] == 0
    (version,) = report(serving).versions
    assert version.verdict == "holds"
    assert version.periods[0].period == "9999-12"
    assert version.periods[0].why_not == "its outcomes are known from 9999-12-31"


def test_labels_that_do_not_exist_are_named_where_they_were_written(
    serving: Workspace, mlops: Mlops
) -> None:
    (serving.conf / "truth.yml").write_text("labels: nowhere\n", encoding="utf-8")
    code, _, err = mlops(serving, "truth")
    assert code == 2
    assert "conf/truth.yml, field `labels`: there is no nowhere." in err
    code, _, err = mlops(serving, "truth", "--labels", "away")
    assert code == 2
    assert "--labels: there is no away." in err


def test_a_broken_champion_ends_with_1_and_says_what_to_do(
    serving: Workspace, mlops: Mlops
) -> None:
    new_rows(serving, noise=1)
    mlops(serving, *BATCH)
    code, _, err = mlops(serving, "truth", "--labels", "later", "--as-of", "2026-03-01")
    assert code == 1
    assert "version 1, the champion, is broken: roc_auc is" in err
    assert f"/later has {len(rows())} labels that the last training did not have. " in err
    assert "uv run poe retrain --why REASON" in err
    assert serving.registry.champion().tags["truth"] == "broken"
    assert report(serving).versions[0].verdict == "broken"
    mlops(serving, "report")
    page = (serving.root / "outputs" / "report.html").read_text(encoding="utf-8")
    assert '<span class="badge bad">broken</span>' in page


def test_rows_of_the_training_do_not_count(serving: Workspace, mlops: Mlops) -> None:
    assert mlops(serving, "run", "pipelines/batch.yml")[0] == 0  # data/raw itself
    code, out, _ = mlops(serving, "truth")
    assert code == 0
    assert (
        "not yet: predictions of new rows: all that are kept are of rows of its own training" in out
    )
    found = report(serving)
    assert (found.versions[0].known, found.new, found.predictions) == (600, 0, 600)
    said = mlops(serving, "alerts")[1]
    assert "ModelBroken: not measured, not yet: predictions of new rows: all that are" in said


def test_a_version_of_an_earlier_release_is_judged_on_what_came_after_it(
    serving: Workspace, mlops: Mlops
) -> None:
    new_rows(serving)
    mlops(serving, *BATCH)
    run_id = serving.registry.champion().run_id
    client = experiments.connect(serving.conf)
    client.delete_tag(run_id, known.SEEN)
    code, out, _ = mlops(serving, "truth", "--labels", "later", "--as-of", "2026-03-01")
    assert (code, "not yet" in out) == (0, True)
    assert report(serving).versions[0].known == len(rows())  # older than the training
    assert report(serving).new is None


def test_the_outcomes_are_waited_for(serving: Workspace, mlops: Mlops) -> None:
    new_rows(serving)
    mlops(serving, *BATCH)
    code, out, _ = mlops(serving, "truth", "--labels", "later", "--as-of", "2025-11-29")
    assert code == 0
    assert "2025-12: its outcomes are known from 2026-01-31" in out
    assert report(serving).versions[0].verdict == "not yet"


def test_nothing_kept_yet_is_said(serving: Workspace, mlops: Mlops) -> None:
    code, out, _ = mlops(serving, "truth")
    assert code == 0
    assert "no prediction is kept yet: `uv run poe batch` and the endpoint keep them" in out


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("coverage", 80, "conf/truth.yml, field `coverage`"),
        ("labels", "data/none", "there is no"),
        ("min_row", 3, "field `min_row`: unknown field"),
    ],
)
def test_wrong_settings_are_named_before_anything_runs(
    serving: Workspace, mlops: Mlops, field: str, value: object, said: str
) -> None:
    serving.change("truth.yml", **{field: value})
    code, _, err = mlops(serving, "truth")
    assert code == 2
    assert said in err
    if field != "labels":
        code, _, err = mlops(serving, "settings")
        assert (code, said in err) == (1, True)


def test_a_wrong_day_is_named(serving: Workspace, mlops: Mlops) -> None:
    code, _, err = mlops(serving, "truth", "--as-of", "1 March")
    assert code == 2
    assert "--as-of 1 March: is not a day. Write it like 2026-11-30." in err


def test_a_contract_without_an_id_cannot_be_judged(serving: Workspace, mlops: Mlops) -> None:
    columns = (serving.conf / "data.yml").read_text(encoding="utf-8")
    text = columns.replace("role: id", "role: ignored")
    assert text != columns
    (serving.conf / "data.yml").write_text(text, encoding="utf-8")
    code, _, err = mlops(serving, "truth")
    assert code == 2
    assert "no column has `role: id`, so no outcome can be found for a prediction" in err


def test_truth_does_not_invalidate_a_training(trained: Workspace, mlops: Mlops) -> None:
    trained.change("truth.yml", horizon_days=3)
    code, _, err = mlops(trained, "run", "pipelines/train.yml")
    assert code == 0
    assert "prepare unchanged" in err


def test_all_ids_of_a_training_are_kept_with_its_run(trained: Workspace) -> None:
    (run,) = experiments.runs(trained.conf)
    assert run.data.tags[known.SEEN] == "600"
    assert len(known.last_training(trained.conf)) == 600
    assert not list((trained.step("train") / "model").rglob("*ids*"))


def test_the_folder_of_the_ledger_may_be_a_volume(
    serving: Workspace, mlops: Mlops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_LEDGER", str(tmp_path / "volume"))
    new_rows(serving)
    mlops(serving, *BATCH)
    assert Ledger(tmp_path / "volume").rows() == len(rows())
    assert not (serving.root / ".mlops" / "ledger").exists()
