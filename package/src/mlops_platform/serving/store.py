"""Downloads a version of the model from the registry."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_folder
from mlops_platform.core.paths import STATE, project_root
from mlops_platform.models import artifact, team
from mlops_platform.models.team import Team


class StoredModel(NamedTuple):
    """A version in a local folder, and the team's code that made it."""

    folder: Path
    name: str
    version: str
    team: Team


def fetch(conf: Path, version: str) -> StoredModel:
    """Return the model of a version, or of the champion; downloaded once into `.mlops/models/`.

    The registry is read each time. A local copy is used only if it is from the version's run:
    another registry may have another model with the same number.

    Raises:
        UsageError: no such version, no champion yet, or a registry that cannot be reached.
    """
    # MLflow takes a second to import, and a caller with a model's folder does not need it.
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    registry = Registry(conf)
    version_found = registry.champion() if version == "champion" else registry.get(version)
    folder_of_version = project_root(conf) / STATE / "models" / version_found.number
    folder = folder_of_version / "model"
    if not _is_of(version_found.run_id, folder):
        try:
            with atomic_folder(folder_of_version) as scratch:
                registry.download(version_found, scratch)
        except OSError:
            # Another process may have downloaded it at the same time.
            if not _is_of(version_found.run_id, folder):
                raise
        if not _is_of(version_found.run_id, folder):
            raise UsageError(
                f"version {version_found.number} of {registry.name}: its run "
                f"{version_found.run_id} has the "
                "model of another run. Train again and promote the new version."
            )
    return StoredModel(folder, registry.name, version_found.number, team.load_team(conf))


def find_deployed(folder: Path, code: Team, version: str | None = None) -> StoredModel:
    """Find the model in a folder of Azure ML.

    For an online endpoint the folder is `.../<name>/<version>`; otherwise `version` is given.

    Raises:
        UsageError: no model there, or several.
    """
    cards = sorted(folder.rglob("model.json"))
    if len(cards) != 1:
        raise UsageError(f"{folder}: has {len(cards)} models, expected one. Deploy one version.")
    return StoredModel(cards[0].parent, folder.parent.name, version or folder.name, code)


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
    return find_deployed(cards[0].parent, code)


def _is_of(run_id: str, folder: Path) -> bool:
    try:
        return artifact.load_card(folder).run_id == run_id
    except UsageError:
        return False
