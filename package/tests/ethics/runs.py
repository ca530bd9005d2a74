"""Cases made of the samples in memory: a draw of rows, a model, and the default page of ethics."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from mlops_platform import evidence, settings
from mlops_platform.data.contract import load_contract
from mlops_platform.ethics import judge
from mlops_platform.ethics.case import Case
from mlops_platform.ethics.kinds import metric
from mlops_platform.models.team import Team
from sklearn.pipeline import Pipeline

from package.tests.models import conf_of, module

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@cache
def settings_of(package: str) -> dict[str, Any]:
    """What a case holds beside rows and model: the settings that the sample is rendered with."""
    conf = conf_of(package)
    project, page = judge.page_of(conf)
    return {
        "conf": conf,
        "project": project,
        "page": page,
        "gates": settings.load_gates(conf),
        "train": settings.load_train(conf),
        "contract": load_contract(conf / "data.yml", project.task),
    }


def divided(package: str, **knobs: Any) -> dict[str, pd.DataFrame]:
    """A draw of the sample, by time, as the step `prepare` divides it."""
    frame = module(package, "sample").make(**knobs)
    return parts(package, frame)


def many(package: str, draws: int, rows: int, **knobs: Any) -> list[dict[str, pd.DataFrame]]:
    """Draws that share no row, each as `divided` makes it: cheaper than as many single ones."""
    frame = module(package, "sample").make(rows * draws, **knobs)
    typed = settings_of(package)["contract"].typed(frame)[0]
    return [_cut(typed.iloc[number::draws]) for number in range(draws)]


def parts(package: str, frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of the sample's columns, the first three fifths to train and the last fifth to test."""
    return _cut(settings_of(package)["contract"].typed(frame)[0])


def _cut(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    ends = [round(len(rows) * share) for share in (0, 0.6, 0.8, 1)]
    return {
        name: rows.iloc[begin:end].reset_index(drop=True)
        for name, begin, end in zip(SHARES, ends[:-1], ends[1:], strict=True)
    }


def fit(package: str, rows: pd.DataFrame, seed: int = 0) -> Pipeline:
    """The sample's own pipeline."""
    team, known = Team(package), settings_of(package)
    contract, train = known["contract"], known["train"]
    model = Pipeline(
        [
            ("features", team.build_features(contract)),
            ("model", team.build_model(dict(train.parameters), seed)),
        ]
    )
    return model.fit(rows[contract.features], rows[contract.target])


def case(package: str, rows: dict[str, pd.DataFrame], model: Any, **changed: Any) -> Any:
    """A case that no step wrote: these parts and this model, other settings where they are given.

    Measures that read evidence files are not for it.
    """
    absent = dict.fromkeys(("validation", "training", "evaluation", "comparison"))
    split = evidence.Split.model_construct(rows={part: len(each) for part, each in rows.items()})
    made = Case(outputs=Path("none"), split=split, **absent, **{**settings_of(package), **changed})
    vars(made).update(parts=rows, model=model)
    return made


def with_gates(package: str, **fields: Any) -> Any:
    """The sample's gates with other fields; `min_group_rows` is a guardrail's."""
    gates = settings_of(package)["gates"]
    if (least := fields.pop("min_group_rows", None)) is not None:
        rails = gates.guardrails.model_copy(update={"min_group_rows": least})
        fields["guardrails"] = rails
    return gates.model_copy(update=fields)


def look(made: Any, check_id: str, **changed: Any) -> Any:
    """What a metric check of the default page finds, with other fields where they are given."""
    found = next(each for each in made.page.metrics if each.id == check_id)
    return metric.look(made, found.model_copy(update=changed))
