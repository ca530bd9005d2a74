"""A small part of the data for git, and what `mlops settings` says of files in data/."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from credit_risk import sample as credit
from mlops_platform import cli
from mlops_platform.cli import data_files, settings_check
from mlops_platform.core.errors import UsageError
from mlops_platform.data import reader, sample

from package.tests import workspaces
from package.tests.workspaces import Workspace

HOOKS = """\
repos:
  - repo: local
    hooks:
      - id: large-files
        entry: uv run --frozen check-added-large-files --enforce-all --maxkb=100
        exclude: ^data/kept/
"""


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """A project with a hook of 100 KB, no data, and 4,000 rows beside it in whole/."""
    made = workspaces.make(tmp_path / "project")
    for file in made.raw.iterdir():
        file.unlink()
    (made.root / ".pre-commit-config.yaml").write_text(HOOKS)
    (made.root / "whole").mkdir()
    credit.make(4000).to_csv(made.root / "whole" / "loans.csv", index=False, lineterminator="\n")
    return made


def take(project: Workspace, path: Path, *more: str, rows: int = 500) -> pd.DataFrame:
    """Take a part; what data/raw then holds."""
    conf = ["--conf", str(project.conf)]
    cli.invoke(["data", "sample", str(path), "--rows", str(rows), *conf, *more])
    return reader.read(project.raw, project.contract.source)


def test_a_part_has_the_shares_of_the_whole_and_trains(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = project.root / "whole" / "loans.csv"
    part = take(project, whole)
    written = project.raw / "loans.csv"
    assert f"wrote {written}: {len(part)} of 4,000 rows" in capsys.readouterr().out
    assert len(part) == pytest.approx(500, abs=2)
    every = whole.read_text().splitlines()
    lines = written.read_text().splitlines()
    assert lines == [line for line in every if line in set(lines)]  # as written, in their order
    shares = [each["outcome"].value_counts(normalize=True) for each in (part, credit.make(4000))]
    assert shares[0]["defaulted"] == pytest.approx(shares[1]["defaulted"], abs=0.003)
    project.pipeline(until="train")


def test_the_same_seed_takes_the_same_rows_and_another_one_others(project: Workspace) -> None:
    whole = project.root / "whole" / "loans.csv"
    first = take(project, whole)
    assert take(project, whole, "--replace").equals(first)
    project.change("train.yml", seed=7)
    assert not take(project, whole, "--replace").equals(first)


def test_a_class_with_one_row_in_a_thousand_is_there(project: Workspace) -> None:
    rows = credit.make(4000).assign(outcome="repaid")
    rows.loc[100:103, "outcome"] = "defaulted"
    rows.to_csv(project.root / "whole" / "loans.csv", index=False)
    assert set(take(project, project.root / "whole", rows=100)["outcome"]) == {
        "repaid",
        "defaulted",
    }


def test_a_target_of_numbers_keeps_its_tails(regression: Workspace) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.exponential(100, 2000), "n": rng.normal(size=2000)})
    regression.change(
        "data.yml",
        columns={"size": {"kind": "number", "role": "target"}, "n": {"kind": "number"}},
    )
    from mlops_platform.data.contract import load_contract  # noqa: PLC0415

    contract = load_contract(regression.conf / "data.yml", "regression")
    part = frame.iloc[sample.choose(frame, contract, 200, seed=0)]
    edges = frame["size"].quantile(np.linspace(0, 1, 11))
    counts, _ = np.histogram(part["size"], edges)
    assert counts.tolist() == [20] * 10


def test_groups_are_whole_and_their_shares_near(project: Workspace) -> None:
    rows = credit.make(4000).assign(person=[f"p{n % 700}" for n in range(4000)])
    columns = yaml_columns(project) | {"person": {"kind": "text", "role": "group"}}
    project.change("data.yml", columns=columns)
    rows.to_csv(project.root / "whole" / "loans.csv", index=False)
    part = take(project, project.root / "whole")
    counts, whole = part["person"].value_counts(), rows["person"].value_counts()
    assert (counts == whole[counts.index]).all()
    assert len(part) == pytest.approx(500, abs=20)


def yaml_columns(project: Workspace) -> dict[str, object]:
    columns = project.contract.raw.items()
    return {name: column.model_dump(exclude_defaults=True) for name, column in columns}


def test_the_form_of_the_files_stays_and_a_folder_becomes_one_file(project: Workspace) -> None:
    folder = project.root / "whole"
    project.change("data.yml", source={"separator": ";", "decimal": ",", "compression": "gzip"})
    (folder / "loans.csv").unlink()
    for year in (2023, 2024):
        (folder / f"year={year}").mkdir()
        credit.make(1000, seed=year).to_csv(
            folder / f"year={year}" / "a.csv.gz", sep=";", decimal=",", index=False
        )
    part = take(project, folder, rows=300)
    assert [file.name for file in project.raw.iterdir()] == ["sample.csv.gz"]
    assert part["income"].str.contains(",").any()
    assert set(part["year"]) == {"2023", "2024"}


def refused(project: Workspace, path: Path, says: str, *more: str, rows: int = 500) -> None:
    before = {file.name: file.read_bytes() for file in project.raw.rglob("*") if file.is_file()}
    with pytest.raises(UsageError, match=says):
        take(project, path, *more, rows=rows)
    after = {file.name: file.read_bytes() for file in project.raw.rglob("*") if file.is_file()}
    assert after == before


def test_a_part_is_never_over_another_file_nor_beside_other_data(project: Workspace) -> None:
    whole = project.root / "whole" / "loans.csv"
    take(project, whole)
    refused(project, whole, r"is there already\. Replace it with --replace")
    (project.raw / "loans.csv").rename(project.raw / "others.csv")
    refused(project, whole, r"holds others\.csv, which would be read together", "--replace")
    refused(project, project.raw / "others.csv", "whose files are all read", "--replace")
    refused(project, project.raw, "whose files are all read")


def test_a_part_that_the_hook_would_refuse_is_not_written(project: Workspace) -> None:
    whole = project.root / "whole" / "loans.csv"
    refused(
        project, whole, r"are \d+ KB, and the hook .* takes 100 KB.*`--rows 1\d\d\d`", rows=3000
    )
    (project.root / ".pre-commit-config.yaml").unlink()
    assert len(take(project, whole, rows=3000)) == pytest.approx(3000, abs=2)


def test_a_part_with_too_few_rows_for_the_contract_is_named(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    part = take(project, project.root / "whole", rows=50)
    said = " ".join(capsys.readouterr().out.split())
    assert f"asks for 100 rows: take more, or write `min_rows: {len(part)}`" in said


def test_a_write_that_fails_leaves_nothing(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(sample, "move", full)
    with pytest.raises(OSError, match="full"):
        take(project, project.root / "whole")
    assert list(project.raw.iterdir()) == []


def test_columns_that_are_missing_and_queries_are_refused(project: Workspace) -> None:
    whole = project.root / "whole" / "loans.csv"
    credit.make(100).drop(columns="outcome").to_csv(whole, index=False)
    refused(project, whole, "has no column `outcome`, which conf/data.yml has")
    query = project.root / "whole" / "loans.sql"
    query.write_text("SELECT 1")
    refused(project, query, "is a query, and git holds it as it is")


# ---------------------------------------------------------------- what settings say


def git(root: Path, *arguments: str) -> None:
    subprocess.run([str(shutil.which("git")), *arguments], cwd=root, check=True)


def test_a_large_file_is_named_before_the_hook_refuses_it(project: Workspace) -> None:
    git(project.root, "init", "-q")
    whole = (project.root / "whole" / "loans.csv").read_bytes()
    (project.raw / "loans.csv").write_bytes(whole)
    (project.root / "data" / "kept").mkdir()
    (project.root / "data" / "kept" / "loans.csv").write_bytes(whole)
    (project.root / "data" / "large").mkdir()
    (project.root / "data" / "large" / "loans.csv").write_bytes(whole)
    (project.root / "data" / "mine.csv").write_bytes(whole)
    (project.root / ".gitattributes").write_text("data/large/** filter=lfs\n")
    (project.root / ".gitignore").write_text("data/mine.csv\nwhole/\n")
    found = [line for line in settings_check.find_problems(project.conf) if "KB" in line]
    assert len(found) == 1
    assert found[0].startswith("data/raw/loans.csv: has ")
    assert "takes 100 KB" in found[0]
    take_part = project.raw / "loans.csv"
    take_part.write_bytes(whole[: 100 * 1024])  # the hook takes just as much
    data_files.require_small(project.conf)
    take_part.write_bytes(whole[: 100 * 1024 + 1])
    with pytest.raises(UsageError, match="data-sample"):
        data_files.require_small(project.conf)


@pytest.mark.parametrize("text", ["", "repos: 3\n", "{", "repos: [{repo: local, hooks: []}]\n"])
def test_a_project_without_the_hook_has_no_limit(project: Workspace, text: str) -> None:
    (project.root / ".pre-commit-config.yaml").write_text(text)
    assert data_files.hook_limit(project.root) is None


CARD = "`raw/credit.csv`: 3,000 invented loans. `src/credit_risk/sample.py` made them with seed 0."


def test_the_card_of_a_sample_that_is_gone_is_named(project: Workspace) -> None:
    card = project.root / "data" / "README.md"
    card.write_text(f"# Data card\n\n{CARD}\n")
    (project.raw / "own.csv").write_text("a\n1\n")
    said = "\n".join(settings_check.find_problems(project.conf))
    assert "data/README.md: is still the card of the sample" in said
    card.write_text("# Data card\n\nLoans of the years 2020 to 2024, from the warehouse.\n")
    data_files.require_own(project.conf)


def test_data_beside_the_sample_is_named(project: Workspace) -> None:
    (project.root / "data" / "README.md").write_text(f"# Data card\n\n{CARD}\n")
    (project.raw / "credit.csv").write_text("a\n1\n")
    (project.raw / "notes.txt").write_text("not read")
    data_files.require_own(project.conf)
    (project.raw / "own.csv").write_text("a\n1\n")
    says = r"data/raw/own\.csv: lies beside the sample's credit\.csv"
    with pytest.raises(UsageError, match=says):
        data_files.require_own(project.conf)


@pytest.mark.parametrize("name", ["credit-risk", "energy-demand"])
def test_the_card_of_a_new_project_is_known(name: str) -> None:
    """Otherwise the check would find nothing."""
    card = workspaces.EXAMPLES / name / "data" / "README.md"
    named = data_files.OF_SAMPLE.search(card.read_text("utf-8"))
    assert named is not None
    assert (card.parent / named[1]).is_file()
    data_files.require_own(workspaces.EXAMPLES / name / "conf")
