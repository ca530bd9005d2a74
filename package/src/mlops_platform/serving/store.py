"""Downloads a version of the model from the registry."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_folder
from mlops_platform.core.paths import STATE, project_root
from mlops_platform.models import artifact, team
from mlops_platform.models.team import Team
from mlops_platform.settings import load_project
from mlops_platform.tracking import binding, remembered
from mlops_platform.tracking.roles import Version
from mlops_platform.tracking.store import local_files

HASH = "MLOPS_MODEL_HASH"
TRUSTED = "MLOPS_TRUSTED"


class StoredModel(NamedTuple):
    """A version in a local folder, and the team's code that made it."""

    folder: Path
    name: str
    version: str
    team: Team


def fetch(conf: Path, version: str) -> StoredModel:
    """Return the model of a version, or of the champion; downloaded once into `.mlops/models/`.

    The registry is read each time. A local copy is used only if it is the version's: another
    registry may have another model with the same number.

    Raises:
        UsageError: no such version, no champion yet, or a registry that cannot be reached.
        GateError: the version's model is not the one that was registered.
    """
    known = recall(conf) if version == "champion" else None
    if known is not None:
        return known
    # MLflow takes seconds to import, and a caller with a model's folder does not need it.
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    registry = Registry(conf)
    found = registry.champion() if version == "champion" else registry.get(version)
    if registry.is_local:  # a copy that is still right must not hide that the store's is not
        registry.require_unchanged(found)
    return _copied(conf, registry.name, found, lambda folder: registry.download(found, folder))


def recall(conf: Path) -> StoredModel | None:
    """The champion, where no MLflow is needed to know it: the store is as it was when asked last.

    None if it must be asked, or if the store has another model than was registered.
    """
    name = load_project(conf).name
    champion = remembered.recall(conf, name)
    files = local_files(conf, champion.run_id) if champion else None
    if champion is None or files is None or not _is_of(champion, files / "model"):
        return None
    source = files / "model"
    return _copied(conf, name, champion, lambda to: shutil.copytree(source, to / "model"))


def _copied(conf: Path, name: str, version: Version, copy: Callable[[Path], object]) -> StoredModel:
    """A version's model in `.mlops/models/`; `copy` brings it into a folder."""
    folder_of_version = project_root(conf) / STATE / "models" / version.number
    folder = folder_of_version / "model"
    if not _is_of(version, folder):
        try:
            with atomic_folder(folder_of_version) as scratch:
                copy(scratch)
        except OSError:
            # Another process may have copied it at the same time.
            if not _is_of(version, folder):
                raise
        if not _is_of(version, folder):
            raise UsageError(
                f"version {version.number} of {name}: its run {version.run_id} has the "
                "model of another run. Train again and promote the new version."
            )
    return StoredModel(folder, name, version.number, team.load_team(conf))


def find_deployed(folder: Path, package: str, version: str | None = None) -> StoredModel:
    """Find the model in a folder of Azure ML, and check it against the hash in MLOPS_MODEL_HASH.

    For an online endpoint the folder is `.../<name>/<version>`; otherwise `version` is given.
    `mlops azure deploy` sets the hash, and in MLOPS_TRUSTED the field `trusted` of
    conf/project.yml, which an endpoint does not have.

    Raises:
        UsageError: no model there, or several.
        GateError: it is not the model that was registered.
    """
    cards = sorted(folder.rglob("model.json"))
    if len(cards) != 1:
        raise UsageError(f"{folder}: has {len(cards)} models, expected one. Deploy one version.")
    number = version or folder.name
    next_step = f"Deploy the version again: `uv run mlops azure deploy {number}`."
    binding.require_unchanged(number, os.environ.get(HASH), cards[0].parent, next_step)
    trusted = tuple(filter(None, os.environ.get(TRUSTED, "").split(",")))
    return StoredModel(cards[0].parent, folder.parent.name, number, Team(package, trusted))


def find_in_image(folder: Path, code: Team) -> StoredModel:
    """Find the model of an image, in `folder/<name>/<version>`.

    Raises:
        UsageError: no model there, or several.
    """
    cards = sorted(folder.glob("*/*/model.json"))
    if len(cards) != 1:
        raise UsageError(
            f"{folder}: has {len(cards)} models in folders NAME/VERSION, expected one. "
            "`mlops image` writes such a folder."
        )
    model = cards[0].parent  # checked when the image was made, which nobody changes
    return StoredModel(model, model.parent.name, model.name, code)


def _is_of(version: Version, folder: Path) -> bool:
    if not folder.is_dir():
        return False
    if version.model_hash is not None:
        return binding.hash_model(folder) == version.model_hash
    try:
        return artifact.load_card(folder).run_id == version.run_id
    except UsageError:
        return False
