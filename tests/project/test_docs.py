"""Every command in a rendered project's pages works as it stands there."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dev
from tests.conftest import Project
from tests.rendering import ROOT

TITLES = [
    *("own-data", "contract", "gates", "ethics", "alerts", "endpoint", "packages", "azure"),
    *("stages", "updating"),
    "operate",
    "overview",
]
PAGES = ["README.md", *(f"docs/{title}.md" for title in TITLES)]
# Commands that end otherwise than with 0 in a project with one champion and no challenger.
EXPECTED = {
    "uv run poe": 1,  # lists the commands
    "mlops azure": 2,  # lists its commands
    'uv run poe promote --why "better on rural customers"': 1,
    'uv run poe rollback --why "complaints since Monday"': 1,
    'uv run mlops stage develop --why "the sponsor agreed on 2026-11-30"': 1,
}
# Commands that do not end, that take long, that call `az`, or that need a template of two releases:
# another test runs them.
SERVED = "package/tests/test_serve.py::test_the_command_serves_until_it_is_told_to_stop"
ASKED = "package/tests/test_alerts.py::test_the_command_asks_the_endpoint"
DRAWN = "package/tests/test_dashboard.py::test_the_command_asks_a_running_endpoint"
PRINTED = "package/tests/test_alerts.py::test_the_command_prints_for_other_programs"
FORMS = {"prometheus": "rules", "alertmanager": "routes"}
HEALED = (
    "package/tests/test_conformance.py::test_changed_deleted_and_added_files_are_named_and_healed"
)
MOVED = "package/tests/test_conformance.py::test_a_template_that_moved_can_be_named"
UPDATED = "package/tests/test_update.py::test_the_news_arrive"
TRUST = "package/tests/test_update.py::test_a_release_that_needs_trust_is_told"
SWITCHED = "package/tests/test_update.py::test_a_switched_off_file_stays_where_the_team_edited_it"
TESTED = "tests/project/test_lifecycle.py::test_the_projects_own_tests_pass"
IN_CI = "tests/project/test_flows.py::test_ci_leaves_report_evidence_and_a_comment"
BUILT = "tests/project/test_package.py::test_the_wheel_works_alone"
PATCHED = "package/tests/test_patch.py::test_one_package_is_lifted_and_all_others_stay"
EJECTED = "tests/project/test_platform_package.py::test_an_ejected_package_is_what_runs"
FROM_A_FEED = (
    "tests/project/test_platform_package.py::test_the_platform_package_comes_from_a_feed_and_back"
)
SAMPLED = "package/tests/test_data_sample.py::test_a_part_has_the_shares_of_the_whole_and_trains"
TRUSTED = "tests/update/test_migrations.py::test_edits_move_with_the_file"
VERIFIED = "package/tests/ethics/test_bundle.py::test_the_command_names_the_edited_file"
AZURE = "package/tests/azure/test_azure_page.py::test_a_team_gets_from_nothing_to_production"
STARTED = "package/tests/test_start.py::test_who_gives_no_role_is_asked"
ON_SPARK = (
    "package/tests/test_spark.py::test_folders_may_be_in_any_storage_and_a_gate_leaves_its_evidence"
)
SPARK_JOB = "package/tests/azure/test_azure_spark.py::test_the_job_is_submitted"
PENGUINS = "tests/project/test_bring_your_own_data.py::test_penguins_by_the_page"
FLIGHTS = "tests/project/test_kinds_of_data.py::test_a_kind_of_data_lives"
HANDLED = "package/tests/test_events.py::test_a_breach_only_notifies_until_there_are_new_labels"
IN_AZURE = """
infra-check
infra-plan
infra-apply
azure-setup
submit pipelines/train.yml
deploy challenger
azure-contracts
rollout
submit azureml/jobs/responsible-ai.yml
schedules
azure-ethics champion
share champion
infra-plan --env prod
azure-setup --env prod
certify challenger
deploy challenger --env prod
rollout --env prod --hold 600
schedules --env prod
azure-status --env prod
azure-rollback --env prod --why "complaints since Monday"
azure-retrain --why "new income data"
"""
ELSEWHERE = {
    **{f"uv run poe {words}": AZURE for words in IN_AZURE.strip().splitlines()},
    "uv run poe data-draft data/raw --target species --replace": PENGUINS,
    "uv run poe data-draft data/raw --target arr_delay --replace": FLIGHTS,
    "uv run poe serve": SERVED,
    "uv run poe start": STARTED,
    "uv run poe alerts --url http://127.0.0.1:8000": ASKED,
    "uv run poe dashboard --url http://127.0.0.1:8000": DRAWN,
    **{f"uv run poe alerts --as {name} > {file}.yml": PRINTED for name, file in FORMS.items()},
    "uv run poe event --do": HANDLED,
    "uv run poe test": TESTED,
    **{f"uv run poe {task}": IN_CI for task in ("hooks", "check", "audit", "ethics")},
    "uv run poe data-sample FOLDER --rows 2000": SAMPLED,
    "uv run poe package": BUILT,
    'uv run poe patch urllib3 --why "GHSA-gm62-xv2j-4w53"': PATCHED,
    "uv run poe patch": PATCHED,
    "uv run mlops eject": EJECTED,
    "uv run mlops ethics verify outputs/ethics/bundle.zip": VERIFIED,
    "uv run poe template-update": UPDATED,
    "uv run poe template-update --trust": TRUST,
    "uv run poe template-update --data serving=both": SWITCHED,
    "uv run poe template-update --data package_source=feed": FROM_A_FEED,
    "uvx --from 'copier>=9.19,<10' copier update --trust --defaults": TRUSTED,
    "uv run poe template-check": HEALED,
    "uv run poe template-check --template ../the-template": MOVED,
    "uv run --with pyspark==3.5.9 mlops spark validate --raw data/raw --out outputs": ON_SPARK,
    "uv run mlops azure spark --executors 4": SPARK_JOB,
    "uv run poe submit azureml/spark/train.yml": SPARK_JOB,
    "git apply outputs/template-check.patch": HEALED,
}


def commands(text: str) -> Iterator[str]:
    """The commands in a page's bash blocks, and those of several words in its lines."""
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if command := line.split("   #")[0].split("  #")[0].strip():
                yield command
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    yield from re.findall(r"`((?:uv|uvx|git|mlops) [^`]+)`", prose)


def can_run(command: str) -> bool:
    """Whether this machine has the command's program; where CI lacks one, the command fails."""
    return (
        bool(os.environ.get("CI"))
        or not command.startswith("git lfs")
        or bool(shutil.which("git-lfs"))
    )


def test_each_command_of_the_pages_works(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project({"project_name": "Credit Risk"})
    shutil.copytree(project.path / "data" / "raw", project.path / "path" / "to" / "new" / "data")
    told = [(page, command) for page in PAGES for command in commands(project.read(page))]
    assert len(told) > 25
    # A version is reproduced from what was committed: what changes settings or lock comes last.
    told.sort(key=lambda each: each[1].startswith("uv add") or "--replace" in each[1])
    done: set[str] = set()
    for page, command in told:
        if command in ELSEWHERE or command in done:
            continue
        done.add(command)
        asked = command.replace("--target COLUMN", "--target outcome")
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', asked)]
        try:
            project.run(*words, expect=EXPECTED.get(command, 0))
        except AssertionError as error:
            pytest.fail(f"{page}: {error}")


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_run_the_others_are_there(test: str) -> None:
    path, name = test.split("::")
    assert f"def {name}(" in (ROOT / path).read_text()


def test_the_readme_of_this_repository_says_what_ci_runs() -> None:
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()
    assert "python3 dev.py test" in readme
    assert "python3 dev.py test" in ci
    assert Path(ROOT / "docs" / "report.png").is_file()


def test_the_commands_that_a_try_ends_with_work(trained_project: Callable[..., Project]) -> None:
    project = trained_project({"project_name": "Credit Risk"})
    for words in dev.NEXT:
        project.run("uv", *words.split())
