# Managed: belongs to the standard, `copier update` changes it.
"""Brings a version of the model from the registry to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .. import artifact
from ..errors import UsageError
from ..files import whole_folder
from ..state import STATE, root_of


class Stored(NamedTuple):
    """A version that lies in a folder here."""

    folder: Path
    name: str
    version: str


def fetch(conf: Path, version: str) -> Stored:
    """The model of a version, or of the champion; downloaded once into `.mlops/models/`.

    The registry is asked each time. What lies here is used only if it is of the version's own run:
    another registry may have another model under the same number.

    Raises:
        UsageError: no such version, no champion yet, or a registry that cannot be reached.
    """
    # MLflow takes a second to import; who has a model's folder already does not need it.
    from ..registry import Registry  # noqa: PLC0415

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
    return Stored(folder, registry.name, chosen.number)


def deployed(folder: Path, version: str | None = None) -> Stored:
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
    return Stored(cards[0].parent, folder.parent.name, version or folder.name)


def _is_of(run_id: str, folder: Path) -> bool:
    try:
        return artifact.load_card(folder).run_id == run_id
    except UsageError:
        return False
