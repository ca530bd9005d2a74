"""The run that is checked: its settings, evidence, rows and model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mlops_platform import evidence, settings
from mlops_platform.core.files import hash_path
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.data.decision import decide
from mlops_platform.ethics.config import EthicsConfig
from mlops_platform.evaluation import metrics
from mlops_platform.models import artifact, dataset
from mlops_platform.models.team import Team, of_project
from mlops_platform.pipelines.outputs import require_latest
from mlops_platform.tracking import experiments

MAX_ROWS = 20_000
REFITS = 3
STEPS = {
    "validation": "validate/evidence",
    "split": "prepare/data",
    "training": "train/evidence",
    "evaluation": "evaluate/evidence",
    "comparison": "compare/evidence",
}


@dataclass(frozen=True)
class EvaluatedRun:
    """The run of the training pipeline in the folder `outputs`, with the settings in `conf`.

    `comparison` is None if the run stopped before that step; `cache` holds results that several
    checks share. Measures use at most 20,000 rows, sampled with the seed: more would take minutes
    and would not change the verdicts.
    """

    conf: Path
    outputs: Path
    config: EthicsConfig
    project: settings.Project
    gates: settings.Gates
    train: settings.Train
    contract: Contract
    validation: evidence.Validation
    split: evidence.Split
    training: evidence.Training
    evaluation: evidence.Evaluation
    comparison: evidence.Comparison | None
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The folder of the train, validation and test rows."""
        return self.outputs / "prepare" / "data"

    @property
    def team(self) -> Team:
        """The project's own code."""
        return of_project(self.project)

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return self.outputs / "train" / "model"

    @property
    def metric(self) -> metrics.Metric:
        """The metric that decides between champion and challenger."""
        metric = metrics.primary_metric(self.gates, self.project.task, self.conf)
        return metric.at(self.threshold)

    @property
    def threshold(self) -> float | None:
        """The probability from which the model decides the positive class, if it has one."""
        return self.evaluation.threshold

    @cached_property
    def model(self) -> Any:
        """The fitted pipeline."""
        return artifact.load(self.folder, self.team)

    @cached_property
    def parts(self) -> dict[str, pd.DataFrame]:
        """All rows of train, validation and test."""
        return {part: dataset.read_part(self.data, part, self.contract) for part in self.split.rows}

    @property
    def part_names(self) -> dict[str, str]:
        """The file of each part of the rows."""
        return {part: f"{part}.parquet" for part in self.split.rows}

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of the test set."""
        return self._sample(self.parts["test"])

    @cached_property
    def all_rows(self) -> pd.DataFrame:
        """Rows of all parts."""
        return self._sample(pd.concat(self.parts.values(), ignore_index=True))

    @cached_property
    def truth(self) -> np.ndarray:
        """The target of `rows`: codes, or values."""
        return dataset.encode_target(self.rows, self.contract)

    @cached_property
    def predicted(self) -> np.ndarray:
        """Predictions for `rows`: probabilities (rows, labels), or values (rows,)."""
        return self.predict(self.rows)

    @cached_property
    def decided(self) -> np.ndarray:
        """Codes of the labels that the model decides for `rows`."""
        return decide(self.predicted, self.threshold)

    def predict(self, rows: pd.DataFrame, model: Any = None) -> np.ndarray:
        """Predictions of the model, or of another one, for rows of the contract."""
        estimator = self.model if model is None else model
        return dataset.predict(estimator, rows[self.contract.features], self.contract.labels)

    def refit(self, seed: int) -> Any:
        """Fit the same pipeline to the training rows again, with a seed."""
        steps = [
            ("features", self.team.build_features(self.contract)),
            ("model", self.team.build_model(dict(self.train.parameters), seed)),
        ]
        pipeline, rows = Pipeline(steps), self.parts["train"]
        dataset.fit(pipeline, rows, self.contract)
        return pipeline

    @cached_property
    def refits(self) -> list[Any]:
        """The pipeline, fitted with other seeds."""
        return [self.refit(self.train.seed + 1 + number) for number in range(REFITS)]

    @cached_property
    def _recorded(self) -> experiments.Run:
        return experiments.run(self.conf, self.training.run_id)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the run in the tracking store."""
        return dict(self._recorded.data.tags)

    @property
    def recorded_metrics(self) -> dict[str, float]:
        """Metrics of the run in the tracking store."""
        return dict(self._recorded.data.metrics)

    @cached_property
    def files(self) -> dict[str, str]:
        """SHA-256 of the run's evidence, its rows and its model."""
        evidence_files = {
            f"{name}.json": hash_path(self.outputs / step / f"{name}.json")
            for name, step in STEPS.items()
            if (self.outputs / step / f"{name}.json").is_file()
        }
        parts = {name: hash_path(self.data / name) for name in self.part_names.values()}
        card = self.conf / "model_card.yml"
        model_card = {card.name: hash_path(card)} if card.is_file() else {}
        return {**evidence_files, **parts, **model_card, "model": hash_path(self.folder)}

    def _sample(self, rows: pd.DataFrame) -> pd.DataFrame:
        if len(rows) <= MAX_ROWS:
            return rows
        sample = rows.sample(MAX_ROWS, random_state=self.train.seed).sort_index()
        return sample.reset_index(drop=True)


def load(
    conf: Path, outputs: Path, config: EthicsConfig, project: settings.Project
) -> EvaluatedRun:
    """Read the last run of the training pipeline in `outputs` that passed.

    Raises:
        UsageError: no run, or evidence of an unknown shape.
    """
    outputs = require_latest(outputs / "train")
    required: dict[str, Any] = {
        name: evidence.read(shape, outputs / STEPS[name] / f"{name}.json")
        for name, shape in (
            ("validation", evidence.Validation),
            ("split", evidence.Split),
            ("training", evidence.Training),
            ("evaluation", evidence.Evaluation),
        )
    }
    comparison = outputs / STEPS["comparison"] / "comparison.json"
    return EvaluatedRun(
        conf=conf,
        outputs=outputs,
        config=config,
        project=project,
        gates=settings.load_gates(conf),
        train=settings.load_train(conf),
        contract=load_contract(conf / "data.yml", project.task),
        comparison=evidence.read(evidence.Comparison, comparison) if comparison.is_file() else None,
        **required,
    )


def hash_json(content: Any) -> str:
    """SHA-256 of the content as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
