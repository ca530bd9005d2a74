"""The champion as MLflow named it last, for as long as its SQLite file holds the same bytes.

To import MLflow takes as much processor time as all else that the endpoint needs to start. A store
on a server is asked each time.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.core.paths import STATE, project_root
from mlops_platform.tracking.roles import Version
from mlops_platform.tracking.store import path_of, store_uri

FILE = "champion.json"


class Champion(BaseModel):
    """`.mlops/champion.json`: the answer, and the hash of the store that gave it."""

    shape: Literal["champion/1"] = "champion/1"
    store: str
    name: str
    number: str
    run_id: str
    tags: dict[str, str]


def hash_store(conf: Path) -> str | None:
    """The hash of all that the store holds; None where it is not a file.

    SQLite appends to a second file before it changes the first, if a team turned that on.
    """
    path = path_of(store_uri(conf))
    if path is None or not path.is_file():
        return None
    log = path.with_name(f"{path.name}-wal")
    return hash_path(path) + (hash_path(log) if log.is_file() else "")


def remember(conf: Path, name: str, champion: Version, store: str | None) -> None:
    """Keep the champion, if nobody has written to the store since it had this hash.

    A version of an earlier release has no hash of its model, by which a copy could be recognised.
    """
    if champion.model_hash is None or store is None or hash_store(conf) != store:
        return
    kept = Champion(
        store=store,
        name=name,
        number=champion.number,
        run_id=champion.run_id,
        tags=champion.tags,
    )
    with suppress(OSError):  # a folder that may only be read
        evidence.write(kept, project_root(conf) / STATE / FILE)


def recall(conf: Path, name: str) -> Version | None:
    """The champion of a model; None if MLflow must be asked."""
    try:
        kept = evidence.read(Champion, project_root(conf) / STATE / FILE)
    except UsageError:
        return None
    if kept.name != name or kept.store != hash_store(conf):
        return None
    return Version(kept.number, kept.run_id, kept.tags)
