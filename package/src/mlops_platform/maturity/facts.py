"""The facts that readiness and maturity are made of: one table.

Dimensions and levels are those of Microsoft's MLOps maturity model; a level needs all facts at and
below it. `command` makes the fact, or says who can.
https://learn.microsoft.com/en-us/azure/architecture/ai-ml/guide/mlops-maturity-model
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from mlops_platform.maturity.finding import Finding
from mlops_platform.maturity.measures import creation, integration, people, release
from mlops_platform.maturity.sources import Sources

Dimension = Literal["people", "model creation", "release", "application integration"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
Level = Literal[1, 2, 3, 4]
HIGHEST = 4
NAMES = {
    0: "no MLOps",
    1: "DevOps, no MLOps",
    2: "automated training",
    3: "automated model deployment",
    4: "automated operations",
}
# Where a fact is looked for; a `signed` one is a person's word, for a time.
Kind = Literal["file", "git", "run", "registry", "CI", "signed"]


class Fact(NamedTuple):
    """One fact: `measure` looks for it; None if only a person can say."""

    id: str
    dimension: Dimension
    level: Level
    kind: Kind
    asks: str
    measure: Callable[[Sources], Finding] | None
    command: str


PIPELINE = "uv run poe pipeline"
ETHICS = "uv run poe ethics"
COMMIT = "git commit --all"
CLOUD = "uv run poe template-update --data cloud=azureml"


def _signed(name: str) -> str:
    return f"uv run poe readiness --sign {name} --role ROLE --by NAME --why TEXT --until DATE"


FACTS: tuple[Fact, ...] = (
    Fact("roles", "people", 1, "file", "Does each role reach somebody?",
         people.roles, "write addresses into conf/team.yml"),
    Fact("sponsor", "people", 1, "file", "Is a sponsor named?",
         people.sponsor, "write `sponsor: NAME` into conf/team.yml"),
    Fact("authors", "people", 2, "git", "Do at least two people work on the code?",
         people.authors, "git commit, by a second person"),
    Fact("scripts-together", "people", 2, "signed",
         "Do data scientists and data engineers turn experiments into scripts together?",
         None, _signed("scripts-together")),
    Fact("reviews", "people", 2, "signed", "Does another person review each change to main?",
         None, _signed("reviews")),
    Fact("engineers", "people", 3, "signed",
         "Do software engineers build the model into applications with the team?",
         None, _signed("engineers")),
    Fact("on-call", "people", 3, "file", "Is somebody on call?",
         people.on_call, "write `on_call: true` for a role into conf/team.yml"),
    Fact("runbook", "people", 3, "file", "Is the runbook written, and reviewed within a year?",
         people.runbook, "fill in docs/runbook.md, and add the line of its review"),
    Fact("retrospective", "people", 4, "file",
         "Was there a retrospective within half a year, on what others can use?",
         people.retrospective, "fill in docs/retrospective.md, and add the line of its meeting"),
    Fact("production-metrics", "people", 4, "signed",
         "Do software engineers gather metrics of production, and does the team look at them?",
         None, _signed("production-metrics")),

    Fact("data-checked", "model creation", 1, "run", "Does a pipeline read and check the data?",
         creation.checked_data, PIPELINE),
    Fact("data-card", "model creation", 1, "file", "Does the data card tell of your own data?",
         creation.data_card, "write data/README.md"),
    Fact("trained-commit", "model creation", 2, "run", "Is the last training of a commit?",
         creation.committed_run, f"{COMMIT}; {PIPELINE}"),
    Fact("tracked", "model creation", 2, "registry",
         "Has each version its commit, code and data?", creation.tracked, PIPELINE),
    Fact("baseline", "model creation", 2, "run",
         "Is the model better than a constant, with its whole interval?",
         creation.baseline, PIPELINE),
    Fact("same-model", "model creation", 2, "run", "Does the same data give the same model?",
         creation.same_model, ETHICS),
    Fact("trained-by-ci", "model creation", 2, "CI", "Does CI train?",
         creation.trained_by_ci, "uv run poe template-check"),
    Fact("ethics", "model creation", 3, "run", "Do the ethics checks let it operate?",
         creation.ethics, ETHICS),
    Fact("retraining", "model creation", 4, "CI", "Can a retraining start without a person?",
         creation.scheduled, CLOUD),
    Fact("retraining-decided", "model creation", 4, "run",
         "Has what production shows decided on a retraining?",
         creation.decided, "uv run poe monitor --retrain"),

    Fact("committed", "release", 1, "git", "Are code, settings and packages in git as they are?",
         release.committed, COMMIT),
    Fact("checked-by-ci", "release", 2, "CI", "Does CI check and test each change?",
         release.checked_by_ci, "uv run poe template-check"),
    Fact("gates", "release", 2, "file", "Do quality gates block?",
         release.gates_block, "uv run poe stage develop --why TEXT"),
    Fact("champion", "release", 2, "registry", "Is there a champion, with who and why?",
         release.champion, "uv run poe promote --why TEXT"),
    Fact("delivered-by-ci", "release", 3, "CI", "Does CI deliver, by staging to production?",
         release.delivered_by_ci, CLOUD),
    Fact("ci-passed", "release", 3, "CI", "Did CI of the main branch pass?",
         release.ci_passed, _signed("ci-passed")),
    Fact("infrastructure", "release", 3, "file", "Are all environments made from files?",
         release.described, "write `infra` into conf/dev.yml, conf/staging.yml and conf/prod.yml"),
    Fact("rollback", "release", 3, "run", "Was the rollback rehearsed?",
         release.rehearsed, ETHICS),
    Fact("go", "release", 3, "file", "Did people decide to operate?",
         release.decided_to_operate, "uv run poe stage operate --why TEXT"),
    Fact("aborts", "release", 4, "CI", "Does a rollout that fails go back by itself?",
         release.aborts, CLOUD),

    Fact("own-tests", "application integration", 1, "file", "Has the project's code tests?",
         integration.own_tests, "write tests/test_*.py; uv run poe test"),
    Fact("interface-tests", "application integration", 2, "file",
         "Is what applications call or read tested?",
         integration.interface_tests, "write tests/test_endpoint.py or tests/test_batch.py"),
    Fact("consumers", "application integration", 3, "file", "Is it known who reads an answer?",
         integration.consumers, "write them into conf/consumers.yml"),
    Fact("alerts", "application integration", 3, "file",
         "Does each alert reach somebody, and say what to do?",
         integration.alerted, "uv run poe check; write addresses into conf/team.yml"),
    Fact("truth", "application integration", 3, "file",
         "Do outcomes come from somewhere, or is it written why not?",
         integration.truth_source, "write `labels` or `why_none` into conf/truth.yml"),
    Fact("drift", "application integration", 4, "run",
         "Was data of now compared with the training data?",
         integration.drift, "uv run poe monitor"),
    Fact("outcomes", "application integration", 4, "run",
         "Was a version judged on real outcomes?", integration.outcomes, "uv run poe truth"),
)  # fmt: skip
