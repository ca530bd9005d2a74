"""Versions of the model in Azure ML, and their roles.

Training registers in the workspace of dev, and dev's roles are tags there. Staging and production
serve what was shared: versions of the registry. Their roles are tags on the registry's versions and
say what production serves; staging reads them and writes none.
"""

from __future__ import annotations

from mlops_platform.azure.az import sets
from mlops_platform.azure.place import Place, advice
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking.roles import Role, Version, stamp

NEVER = {"rejected", "rolled_back"}


class Versions:
    """The versions that an environment may serve."""

    def __init__(self, place: Place, *, registry: bool | None = None) -> None:
        self.place = place
        self.az = place.az
        self.in_registry = place.environment != "dev" if registry is None else registry
        self.writes = place.environment != "staging"
        self._at = self.az.registry if self.in_registry else self.az.workspace
        cloud = place.cloud
        self.where = (
            f"registry {cloud.registry}" if self.in_registry else f"workspace {cloud.workspace}"
        )

    def find(self, number: str) -> Version | None:
        """One version, or None."""
        named = ("--name", self.place.name, "--version", number)
        found = self.az.read("model", "show", *named, *self._at)
        return None if found is None else _version(found)

    def get(self, asked: str) -> Version:
        """A version by its number, or the latest that is `challenger` or `champion`."""
        if asked in ("challenger", "champion"):
            holder = self.holder(asked)
            if holder is None:
                raise UsageError(f"{self.place.name} has no {asked} in the {self.where}.")
            return holder
        version = self.find(asked)
        if version is None:
            share = f" Share it first: {advice(f'share {asked}', 'dev')}."
            first = share if self.in_registry else ""
            raise UsageError(
                f"version {asked} of {self.place.name} is not in the {self.where}.{first}"
            )
        return version

    def all(self) -> list[Version]:
        """All versions."""
        listed = self.az.read("model", "list", "--name", self.place.name, *self._at)
        return [_version(found) for found in listed]

    def holder(self, role: str) -> Version | None:
        """The version with a role; the latest where several have it."""
        holders = [version for version in self.all() if version.role == role]
        return max(holders, key=lambda version: version.since, default=None)

    def write(self, number: str, tags: dict[str, str]) -> None:
        """Set tags of a version, all in one change."""
        tags = {key: " ".join(value.split()) for key, value in tags.items()}  # arguments: one line

        def holds() -> bool:
            found = self.find(number)
            return found is not None and tags.items() <= found.tags.items()

        named = ("--name", self.place.name, "--version", number)
        at = [*self.az.group, *self._at] if self.in_registry else self._at
        pairs = [f"tags.{key}={value}" for key, value in tags.items()]
        change = ("model", "update", *named, *at, "--force-string", *sets(*pairs))
        self.az.ensure(f"tags of version {number}", holds, *change)

    def crown(self, number: str, why: str) -> None:
        """Make a version champion: it first, then whoever was; so there is always one."""
        if not self.writes:
            return
        new = self.get(number)
        former = [v for v in self.all() if v.role == "champion" and v.number != number]
        if new.role != "champion" or any(other.since > new.since for other in former):
            latest = max(former, key=lambda version: version.since, default=None)
            previous = {"previous_champion": latest.number} if latest else {}
            self.write(number, previous | stamp("champion", why))
        for other in former:
            self.write(other.number, stamp("archived", f"version {number} took its place"))

    def restore(self, number: str, failed: str, role: Role, why: str) -> None:
        """Make `number` champion again, then give `failed` the role that it deserves."""
        if not self.writes:
            return
        restored = self.get(number)
        fallen = self.get(failed)
        if restored.role != "champion" or (
            fallen.role == "champion" and fallen.since > restored.since
        ):
            back = stamp("champion", f"instead of version {failed}: {why}")
            self.write(number, back)
        if fallen.role != role:
            self.write(failed, stamp(role, why))


def may_be_deployed(place: Place, versions: Versions, version: Version) -> None:
    """Say no to what must not be deployed.

    Raises:
        GateError: rejected and rolled back versions, anywhere; in production all but challenger,
            champion, and the champion before, which a rollback needs.
    """
    reason = version.tags.get("role_why", "nobody said why")
    if version.role in NEVER:
        raise GateError(
            f"version {version.number} is {version.role} and is never deployed: {reason}"
        )
    if place.environment != "prod" or version.role in ("challenger", "champion"):
        return
    champion = versions.holder("champion")
    if champion is None or champion.tags.get("previous_champion") != version.number:
        raise GateError(
            f"version {version.number} is {version.role}. In production only the challenger, the "
            f"champion and the one before are deployed. It became so because: {reason}"
        )


def _version(found: dict) -> Version:
    tags = {str(key): str(value) for key, value in (found.get("tags") or {}).items()}
    return Version(str(found["version"]), "", tags)
