"""Saves and loads a trained model as a folder, with skops instead of pickle.

- MLmodel, model.skops, requirements.txt ...: MLflow's layout, so that other tools can load it
- contract.yml: the data contract of its training data
- reference.json: distributions of its training data, for drift detection
- model.json: its run, task, labels and features
"""

from __future__ import annotations

import importlib.metadata
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.models import libraries, trust
from mlops_platform.models.team import Team
from mlops_platform.settings import Task

# The only estimator of scikit-learn 1.9 of which skops can save the options, and not the fit.
UNSAVABLE = {"sklearn.cluster._birch.Birch"}
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "skops")


class Card(BaseModel):
    """model.json. `packages` are the packages installed at `save`; empty for older models.

    `threshold` is the probability from which the positive class of two is decided; without one the
    most probable class is. `trained` is when the fit began; None for older models.
    """

    model_config = ConfigDict(extra="forbid")

    shape: Literal["model/1"] = "model/1"
    run_id: str
    task: Task
    labels: list[str]
    features: list[str]
    packages: list[str] = []
    threshold: float | None = None
    trained: datetime | None = None


def save(estimator: Any, folder: Path, team: Team, *, card: Card, contract: Path) -> None:
    """Save a fitted pipeline into an empty folder.

    Raises:
        UsageError: the pipeline has a type that cannot be saved or loaded safely, or the folder is
            not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is not an empty folder. Choose another one for the model.")
    import mlflow.sklearn  # noqa: PLC0415  slow to import, and not needed to load a model
    import skops.io  # noqa: PLC0415  slow to import, and not needed to read a card

    source = f"{team.path('model')} or features.py"
    content = _dump(estimator, source)
    types = trust.require_trusted(skops.io.get_untrusted_types(data=content), team, source)
    try:
        skops.io.loads(content, trusted=types)
    except Exception as error:
        raise UsageError(
            f"{source}: the model can be saved with skops, but not loaded again ({error}). Use "
            "another estimator, or other options of it."
        ) from error
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
    versions += libraries.requirements(trust.of_libraries(types, team))
    mlflow.sklearn.save_model(
        estimator,
        folder,
        serialization_format="skops",
        skops_trusted_types=types,
        pip_requirements=versions,
    )
    shutil.copyfile(contract, folder / "contract.yml")
    installed = {package.name.lower() for package in importlib.metadata.distributions()}
    evidence.write(card.model_copy(update={"packages": sorted(installed)}), folder / "model.json")


def require_savable(estimator: Any, team: Team) -> None:
    """Check before a fit what can be known then: that its type and options can be saved.

    Raises:
        UsageError: they cannot be saved, or not loaded safely.
    """
    import skops.io  # noqa: PLC0415

    source = f"{team.path('model')} or features.py"
    for part in [estimator, *estimator.get_params(deep=True).values()]:
        if f"{type(part).__module__}.{type(part).__name__}" in UNSAVABLE:
            raise UsageError(
                f"{source}: skops cannot save a fitted {type(part).__name__}. Use another "
                "estimator."
            )
    content = _dump(estimator, source)
    trust.require_trusted(skops.io.get_untrusted_types(data=content), team, source)


def load(folder: Path, team: Team) -> Any:
    """Load a fitted pipeline.

    Raises:
        UsageError: the folder has no model, or the model has a type that is not trusted.
    """
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    path = folder / "model.skops"
    if not path.is_file():
        raise UsageError(f"{folder}: has no model.skops. Train a model: `uv run poe pipeline`.")
    try:
        with suppress(UntrustedTypesFoundException):
            # Searching the model for its types takes as long as loading it.
            return _load(path, recorded_types(folder), team)
        return _load(path, types_in(path), team)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{path}: cannot be loaded ({error}). It was saved with other code or versions. "
            "Train it again, or check out the commit in its tag `git_commit`."
        ) from error


def _load(path: Path, names: list[str], team: Team) -> Any:
    """Load a model's file that may hold these types."""
    import skops.io  # noqa: PLC0415

    types = trust.require_trusted(names, team, str(path))
    libraries.require_own_format(path, trust.of_libraries(types, team))
    return skops.io.load(path, trusted=types)


def types_in(file: Path) -> list[str]:
    """Names of the types and functions in a model's file that skops does not trust by itself.

    Raises:
        UsageError: it is not a file of skops.
    """
    import skops.io  # noqa: PLC0415

    try:
        names: list[str] = skops.io.get_untrusted_types(file=file)
    except Exception as error:
        raise UsageError(f"{file}: cannot be read as a model of skops ({error}).") from error
    return names


def recorded_types(folder: Path) -> list[str]:
    """The types that `save` recorded in MLmodel, for which MLflow does not ask."""
    path = folder / "MLmodel"
    if not path.is_file():
        return []
    return read_yaml(path)["flavors"]["sklearn"].get("skops_trusted_types") or []


def load_card(folder: Path) -> Card:
    """Read model.json."""
    return evidence.read(Card, folder / "model.json")


def size_mb(folder: Path) -> float:
    """Megabytes (10^6 bytes) of all files in a model's folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _dump(estimator: Any, source: str) -> bytes:
    import skops.io  # noqa: PLC0415

    try:
        content: bytes = skops.io.dumps(estimator)
    except Exception as error:
        failing = next(
            (step for _, step in getattr(estimator, "steps", ()) if not _can_be_saved(step)),
            estimator,
        )
        raise UsageError(
            f"{source}: skops cannot save {type(failing).__name__} ({error}). Use another "
            "estimator, or other options of it."
        ) from error
    return content


def _can_be_saved(step: Any) -> bool:
    import skops.io  # noqa: PLC0415

    try:
        skops.io.dumps(step)
    except Exception:
        return False
    return True
