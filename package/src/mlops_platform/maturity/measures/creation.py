"""How a model is made: data, training, evidence, retraining."""

from __future__ import annotations

from mlops_platform.core import placeholders
from mlops_platform.ethics.config import BLOCKING
from mlops_platform.evidence.ethics import CheckResult
from mlops_platform.maturity.finding import Finding, judge, no, unknown
from mlops_platform.maturity.sources import Sources

CARD = "data/README.md"
NO_RUN = "outputs/train: no run"
OF_THE_SAMPLE = "sample.py` made them"  # the card of a new project
SAME_MODEL = "refit_difference"
RECORDED = ("git_commit", "code_hash", "data_hash")
NO_REGISTRY = "no registry on this machine, and none in MLFLOW_TRACKING_URI"


def checked_data(sources: Sources) -> Finding:
    """A pipeline reads the data, and all of it follows the contract."""
    found = sources.run.validation
    if found is None:
        return no(NO_RUN)
    where = f"validation.json: {found.rows} rows, {len(found.findings)} broken rules"
    return judge(not found.findings, where)


def data_card(sources: Sources) -> Finding:
    """The data card tells of the project's own data."""
    text = sources.text(CARD)
    if text is None:
        return no(f"{CARD} does not exist")
    if OF_THE_SAMPLE in text:
        return no(f"{CARD} tells of the sample")
    placeholder = placeholders.find(text)
    return judge(not placeholder, CARD, f"{CARD} still has the placeholder `{placeholder}`")


def baseline(sources: Sources) -> Finding:
    """On the test set the whole interval of the deciding metric is better than a constant."""
    found = sources.run.evaluation
    if found is None:
        return no(NO_RUN)
    measure = next(each for each in found.measures if each.name == found.metric)
    bound = measure.low if measure.higher_is_better else measure.high
    if bound is None or measure.baseline is None:
        return no(f"evaluation.json: {measure.name} has no interval, or no baseline")
    better = bound > measure.baseline if measure.higher_is_better else bound < measure.baseline
    return judge(
        better,
        f"evaluation.json: {measure.name} {measure.value:.4f} ({measure.low:.4f} to "
        f"{measure.high:.4f}), a constant {measure.baseline:.4f}",
    )


def committed_run(sources: Sources) -> Finding:
    """The last training is of a commit."""
    found = sources.run.training
    if found is None:
        return no(NO_RUN)
    if found.git_dirty not in ("true", "false"):
        return no("training.json: trained outside git")
    where = f"training.json: commit {found.git_commit[:12]}"
    return judge(found.git_dirty == "false", where, f"{where} and uncommitted changes")


def tracked(sources: Sources) -> Finding:
    """Each version in the registry has the commit, code and data that it was made of."""
    versions = sources.versions
    if versions is None:
        return (unknown if sources.has_cloud else no)(NO_REGISTRY)
    whole = sum(
        all(version.tags.get(tag, "unknown") != "unknown" for tag in RECORDED)
        for version in versions
    )
    where = f"registry: {whole} of {len(versions)} versions have their {', '.join(RECORDED)}"
    return judge(0 < len(versions) == whole, where)


def same_model(sources: Sources) -> Finding:
    """The same data gives the same model."""
    return of_ethics(sources, SAME_MODEL)


def ethics(sources: Sources) -> Finding:
    """Each check of conf/ethics.yml that blocks at `operate` passed, or is waived."""
    found = sources.run.ethics
    if found is None:
        return no("outputs/ethics: the last run was not checked")
    due = [each for each in found.checks if each.category in BLOCKING["operate"]]
    open_ones = [each.id for each in due if each.word == "failed" and not each.accepted]
    more = f" and {len(open_ones) - 3} more" if len(open_ones) > 3 else ""
    where = f"ethics.json: {len(due) - len(open_ones)} of {len(due)} checks let it operate"
    return judge(not open_ones, where, f"{where}; open: {', '.join(open_ones[:3])}{more}")


def trained_by_ci(sources: Sources) -> Finding:
    """CI trains: its machines are there for as long as a training takes."""
    names = [name for name, text in sources.ci.items() if "poe pipeline" in text]
    return judge(bool(names), f"CI: {', '.join(names)}", "CI: no workflow runs `poe pipeline`")


def scheduled(sources: Sources) -> Finding:
    """Whether to train again is asked on a schedule, and needs no person."""
    found = "cron:" in sources.ci.get("retrain", "")
    return judge(found, "CI: retrain.yml", "CI: no retrain.yml with a schedule")


def decided(sources: Sources) -> Finding:
    """What production shows has decided on a retraining: made, or with what is missing."""
    if sources.has("outputs/retraining.json"):
        return judge(True, "outputs/retraining.json")
    where = "outputs/retraining.json does not exist"
    return unknown(f"{where} here; CI's jobs decide") if sources.has_cloud else no(where)


def of_ethics(sources: Sources, measure: str) -> Finding:
    """The check of conf/ethics.yml that measures this; it passed, or is waived."""
    ethics = sources.run.ethics
    if ethics is None:
        return no("outputs/ethics: the last run was not checked")
    check = next((each for each in ethics.checks if each.measure == measure), None)
    if check is None:
        return no(f"conf/ethics.yml: no check has the measure `{measure}`")
    return judge(check.accepted, f"ethics.json, `{check.id}`: {_say(check)}")


def _say(check: CheckResult) -> str:
    return f"waived until {check.waived.expires}" if check.waived else check.message
