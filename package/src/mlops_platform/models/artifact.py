"""Saves and loads a trained model as a folder, with skops instead of pickle.

- MLmodel, model.skops, requirements.txt ...: MLflow's layout, so that other tools can load it
- contract.yml: the data contract of its training data
- reference.json: distributions of its training data, for drift detection
- model.json: its run, task, labels and features
"""

from __future__ import annotations

import importlib
import importlib.metadata
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.models.team import Team
from mlops_platform.settings import Task

# No model needs this module, and some of its functions start programs.
REFUSED_PREFIX = "sklearn.utils._testing."
TRUSTED_TYPES = {"numpy.dtype"}
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "skops")


class Card(BaseModel):
    """model.json. `packages` are the packages installed at `save`; empty for older models."""

    model_config = ConfigDict(extra="forbid")

    shape: Literal["model/1"] = "model/1"
    run_id: str
    task: Task
    labels: list[str]
    features: list[str]
    packages: list[str] = []


def save(estimator: Any, folder: Path, team: Team, *, card: Card, contract: Path) -> None:
    """Save a fitted pipeline into an empty folder.

    Raises:
        UsageError: the pipeline has a type that cannot be loaded safely, or the folder is not
            empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is not an empty folder. Choose another one for the model.")
    import mlflow.sklearn  # noqa: PLC0415  slow to import, and not needed to load a model
    import skops.io  # noqa: PLC0415  slow to import, and not needed to read a card

    untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    types = _require_trusted(untrusted, team, f"{team.path('model')} or features.py")
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
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


def load(folder: Path, team: Team) -> Any:
    """Load a fitted pipeline.

    Raises:
        UsageError: the folder has no model, or the model has a type that is not trusted.
    """
    import skops.io  # noqa: PLC0415
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    path = folder / "model.skops"
    if not path.is_file():
        raise UsageError(f"{folder}: has no model.skops. Train a model: `uv run poe pipeline`.")
    try:
        with suppress(UntrustedTypesFoundException):
            recorded = _require_trusted(_recorded_types(folder), team, str(path))
            return skops.io.load(path, trusted=recorded)
        types = _require_trusted(skops.io.get_untrusted_types(file=path), team, str(path))
        return skops.io.load(path, trusted=types)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{path}: cannot be loaded ({error}). It was saved with other code or versions. "
            "Train it again, or check out the commit in its tag `git_commit`."
        ) from error


def load_card(folder: Path) -> Card:
    """Read model.json."""
    return evidence.read(Card, folder / "model.json")


def size_mb(folder: Path) -> float:
    """Megabytes (10^6 bytes) of all files in a model's folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _recorded_types(folder: Path) -> list[str]:
    """The types that `save` recorded in MLmodel.

    Searching the model for them takes as long as loading it. They are checked in the same way.
    """
    path = folder / "MLmodel"
    if not path.is_file():
        return []
    return read_yaml(path)["flavors"]["sklearn"].get("skops_trusted_types") or []


def _is_own(name: str, team: Team) -> bool:
    """Whether scikit-learn or the team's package defines the type or function, not only imports it.

    A file can use any name: `sklearn.utils._testing.check_output` is a function of subprocess.
    """
    module, _, attribute = name.rpartition(".")
    prefixes = ("sklearn.", f"{team.package}.")
    if not name.startswith(prefixes):
        return False
    definition = getattr(importlib.import_module(module), attribute, None)
    if definition is None:  # defined within a function, so other processes cannot import it
        return False
    defined_in = f"{definition.__module__}."
    return defined_in.startswith(prefixes) and not defined_in.startswith(REFUSED_PREFIX)


def _require_trusted(types: list[str], team: Team, source: str) -> list[str]:
    refused = sorted(n for n in types if n not in TRUSTED_TYPES and not _is_own(n, team))
    if refused:
        raise UsageError(
            f"{source}: the model contains {', '.join(refused)}, which cannot be loaded safely. "
            "Use only classes of scikit-learn, or classes at the top of a module of your package."
        )
    return types
