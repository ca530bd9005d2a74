"""Evaluated runs in memory: a draw of the sample, a model, and the default conf/ethics.yml."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from mlops_platform import evidence, settings
from mlops_platform.data.contract import load_contract
from mlops_platform.ethics import checks
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.kinds import metric_check
from mlops_platform.models.team import Team
from sklearn.pipeline import Pipeline

from package.tests.models import conf_of, module

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@cache
def settings_of(package: str) -> dict[str, Any]:
    """The settings of the sample: all fields of a run except rows and model."""
    conf = conf_of(package)
    project, config = checks.load_settings(conf)
    return {
        "conf": conf,
        "project": project,
        "config": config,
        "gates": settings.load_gates(conf),
        "train": settings.load_train(conf),
        "contract": load_contract(conf / "data.yml", project.task),
    }


def split_sample(package: str, **parameters: Any) -> dict[str, pd.DataFrame]:
    """A draw of the sample, split by time as the step `prepare` does."""
    frame = module(package, "sample").make(**parameters)
    return _split(settings_of(package)["contract"].typed(frame)[0])


def split_samples(
    package: str, draws: int, rows: int, **parameters: Any
) -> list[dict[str, pd.DataFrame]]:
    """Several draws without common rows, each split; faster than `split_sample` for each."""
    frame = module(package, "sample").make(rows * draws, **parameters)
    typed = settings_of(package)["contract"].typed(frame)[0]
    return [_split(typed.iloc[number::draws]) for number in range(draws)]


def _split(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    ends = [round(len(rows) * share) for share in (0, 0.6, 0.8, 1)]
    return {
        name: rows.iloc[begin:end].reset_index(drop=True)
        for name, begin, end in zip(SHARES, ends[:-1], ends[1:], strict=True)
    }


def fit(package: str, rows: pd.DataFrame, seed: int = 0) -> Pipeline:
    """Fit the sample's own pipeline."""
    team, settings = Team(package), settings_of(package)
    contract, train = settings["contract"], settings["train"]
    model = Pipeline(
        [
            ("features", team.build_features(contract)),
            ("model", team.build_model(dict(train.parameters), seed)),
        ]
    )
    return model.fit(rows[contract.features], rows[contract.target])


def build(
    package: str,
    rows: dict[str, pd.DataFrame],
    model: Any,
    threshold: float | None = None,
    **changed: Any,
) -> Any:
    """Build a run from these parts and this model, with optional other settings.

    It has no evidence files, so measures that read them do not work.
    """
    absent: dict[str, Any] = dict.fromkeys(("validation", "training", "comparison"))
    absent["evaluation"] = evidence.Evaluation.model_construct(threshold=threshold)
    split = evidence.Split.model_construct(rows={part: len(each) for part, each in rows.items()})
    run = EvaluatedRun(
        outputs=Path("none"), split=split, **absent, **{**settings_of(package), **changed}
    )
    vars(run).update(parts=rows, model=model)
    return run


def with_gates(package: str, **fields: Any) -> Any:
    """The sample's gates with other fields; `min_group_rows` is a guardrail's."""
    gates = settings_of(package)["gates"]
    if (least := fields.pop("min_group_rows", None)) is not None:
        rails = gates.guardrails.model_copy(update={"min_group_rows": least})
        fields["guardrails"] = rails
    return gates.model_copy(update=fields)


def check(run: Any, check_id: str, **changed: Any) -> Any:
    """The outcome of a metric check of the default conf/ethics.yml, with optional other fields."""
    config = next(each for each in run.config.metrics if each.id == check_id)
    return metric_check.check_metric(run, config.model_copy(update=changed))
