"""A trained model as a folder: skops instead of pickle, its contract, its training reference.

- MLmodel, model.skops, requirements.txt ...: MLflow's layout, so that other tools can load it
- contract.yml: the data contract it was trained under
- reference.json: distributions of its training data, for drift
- model.json: what it is: run, task, labels, features
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

# No model needs these, and some of their functions start programs.
REFUSED_PREFIX = "sklearn.utils._testing."
TRUSTED_TYPES = {"numpy.dtype"}
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "skops")


class Card(BaseModel):
    """model.json. `packages` are those that `save` found installed; older models do not tell."""

    model_config = ConfigDict(extra="forbid")

    shape: Literal["model/1"] = "model/1"
    run_id: str
    task: Task
    labels: list[str]
    features: list[str]
    packages: list[str] = []


def save(estimator: Any, folder: Path, team: Team, *, card: Card, contract: Path) -> None:
    """Write a fitted pipeline, made by the team's code, into an empty folder.

    Raises:
        UsageError: the pipeline holds a type that cannot be loaded back in safety, or the folder
            is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is not an empty folder. Name another one for the model.")
    import mlflow.sklearn  # noqa: PLC0415  a second that loading a model does not need
    import skops.io  # noqa: PLC0415  a second that reading a card does not need

    untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    where = f"{team.path('model')} or features.py"
    types = _trusted(untrusted, team, where)
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
    mlflow.sklearn.save_model(
        estimator,
        folder,
        serialization_format="skops",
        skops_trusted_types=types,
        pip_requirements=versions,
    )
    shutil.copyfile(contract, folder / "contract.yml")
    installed = {found.name.lower() for found in importlib.metadata.distributions()}
    evidence.write(card.model_copy(update={"packages": sorted(installed)}), folder / "model.json")


def load(folder: Path, team: Team) -> Any:
    """Load a fitted pipeline.

    Raises:
        UsageError: no model there, or one that holds a type that is not trusted.
    """
    import skops.io  # noqa: PLC0415
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    path = folder / "model.skops"
    if not path.is_file():
        raise UsageError(f"{folder}: holds no model.skops. Train one: `uv run poe pipeline`.")
    try:
        with suppress(UntrustedTypesFoundException):
            return skops.io.load(path, trusted=_trusted(_noted(folder), team, str(path)))
        types = _trusted(skops.io.get_untrusted_types(file=path), team, str(path))
        return skops.io.load(path, trusted=types)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{path}: cannot be loaded ({error}). It was made by other code or other versions; "
            "train it again or check out the commit in its tag `git_commit`."
        ) from error


def load_card(folder: Path) -> Card:
    """Read model.json."""
    return evidence.read(Card, folder / "model.json")


def size_mb(folder: Path) -> float:
    """Megabytes (10^6 bytes) of all files in a model's folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _noted(folder: Path) -> list[str]:
    """The types that `save` found, as MLmodel tells them.

    To search the model for them takes as long as to load it. A note is judged as a find is.
    """
    path = folder / "MLmodel"
    if not path.is_file():
        return []
    return read_yaml(path)["flavors"]["sklearn"].get("skops_trusted_types") or []


def _is_own(name: str, team: Team) -> bool:
    """Whether scikit-learn or the team's package defines the type or function, not only imports it.

    A file names what it holds as it likes: `sklearn.utils._testing.check_output` is subprocess's.
    """
    module, _, attribute = name.rpartition(".")
    prefixes = ("sklearn.", f"{team.package}.")
    if not name.startswith(prefixes):
        return False
    thing = getattr(importlib.import_module(module), attribute, None)
    if thing is None:  # defined within a function, so no other process finds it
        return False
    defined = f"{thing.__module__}."
    return defined.startswith(prefixes) and not defined.startswith(REFUSED_PREFIX)


def _trusted(types: list[str], team: Team, where: str) -> list[str]:
    refused = sorted(n for n in types if n not in TRUSTED_TYPES and not _is_own(n, team))
    if refused:
        raise UsageError(
            f"{where}: the model holds {', '.join(refused)}, which cannot be loaded in safety. "
            "Use scikit-learn's own classes, or such at the top of a module of your package that "
            "hold nothing else."
        )
    return types
