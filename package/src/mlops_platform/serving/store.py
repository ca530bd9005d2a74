"""Brings a version of the model from the registry to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import whole_folder
from mlops_platform.core.paths import STATE, root_of
from mlops_platform.models import artifact, team
from mlops_platform.models.team import Team


class Stored(NamedTuple):
    """A version that lies in a folder here, and the code that made it."""

    folder: Path
    name: str
    version: str
    team: Team


def fetch(conf: Path, version: str) -> Stored:
    """The model of a version, or of the champion; downloaded once into `.mlops/models/`.

    The registry is asked each time. What lies here is used only if it is of the version's own run:
    another registry may have another model under the same number.

    Raises:
        UsageError: no such version, no champion yet, or a registry that cannot be reached.
    """
    # MLflow takes a second to import; who has a model's folder already does not need it.
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    registry = Registry(conf)
    chosen = registry.champion() if version == "champion" else registry.get(version)
    kept = root_of(conf) / STATE / "models" / chosen.number
    folder = kept / "model"
    if not _is_of(chosen.run_id, folder):
        try:
            with whole_folder(kept) as scratch:
                registry.download(chosen, scratch)
        except OSError:
            # Another process may have brought it at the same moment.
            if not _is_of(chosen.run_id, folder):
                raise
        if not _is_of(chosen.run_id, folder):
            raise UsageError(
                f"version {chosen.number} of {registry.name}: its run {chosen.run_id} holds the "
                "model of another run. Train again and promote the new version."
            )
    return Stored(folder, registry.name, chosen.number, team.of(conf))


def deployed(folder: Path, code: Team, version: str | None = None) -> Stored:
    """The model below a folder where Azure ML has put it.

    Behind an online endpoint the folder is `.../<name>/<version>`; elsewhere the version is given.

    Raises:
        UsageError: no model there, or several.
    """
    cards = sorted(folder.rglob("model.json"))
    if len(cards) != 1:
        raise UsageError(
            f"{folder}: holds {len(cards)} models, one is expected. Deploy one version."
        )
    return Stored(cards[0].parent, folder.parent.name, version or folder.name, code)


def _is_of(run_id: str, folder: Path) -> bool:
    try:
        return artifact.load_card(folder).run_id == run_id
    except UsageError:
        return False
