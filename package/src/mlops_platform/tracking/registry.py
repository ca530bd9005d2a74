"""Versions of the model and their roles.

A role is the tag `role` of a version: champion (serves), challenger (may become champion),
archived, rejected, rolled_back. Tags are used because not every store of Azure ML has MLflow's
stages and aliases. If an interrupted change left two champions, the later one counts, and the next
change corrects it.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.settings import load_project
from mlops_platform.tracking import binding, experiments, remembered
from mlops_platform.tracking.experiments import MlflowClient, MlflowException
from mlops_platform.tracking.roles import MODEL_HASH, Role, Version, stamp


class Registry:
    """The project's registered model."""

    def __init__(self, conf: Path) -> None:
        self.conf = conf
        self.name = load_project(conf).name
        self.uri = experiments.store_uri(conf)
        self.is_local = self.uri.startswith("sqlite:///")
        self._client: MlflowClient = experiments.connect(conf)

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        with experiments.store_errors("Reading the registry", self.uri):
            versions: list[Version] = []
            token: str | None = None
            while True:
                page = self._client.search_model_versions(f"name='{self.name}'", page_token=token)
                versions += [Version(str(v.version), str(v.run_id), dict(v.tags)) for v in page]
                token = page.token
                if not token:
                    return sorted(versions, key=lambda version: int(version.number))

    def get(self, number: str) -> Version:
        """Return a version."""
        versions = self.versions()
        for version in versions:
            if version.number == number:
                return version
        known = ", ".join(version.number for version in versions) or "none yet"
        raise UsageError(f"version '{number}' of {self.name} does not exist; there are: {known}.")

    def holder(self, role: Role) -> Version | None:
        """Return the version with a role; the latest if several have it."""
        holders = [version for version in self.versions() if version.role == role]
        return max(holders, key=lambda version: version.since, default=None)

    def champion(self) -> Version:
        """Return the version that serves.

        Raises:
            UsageError: there is none yet.
        """
        asked = remembered.hash_store(self.conf)
        champion = self.holder("champion")
        if champion is None:
            raise UsageError(
                f"{self.name} has no champion yet. Train a challenger with `uv run poe pipeline`, "
                "then make it champion with `uv run poe promote`."
            )
        remembered.remember(self.conf, self.name, champion, asked)
        return champion

    def download(self, version: Version, folder: Path) -> Path:
        """Copy a version's model into `folder`, and return its path.

        Raises:
            GateError: it is not the model that was registered.
        """
        copy = experiments.download(self.conf, version.run_id, "model", folder)
        self._require_unchanged(version, copy)
        return copy

    def record_hash(self, version: Version) -> Version:
        """Record the hash of the model of a version that an earlier release registered."""
        if version.model_hash is None:
            with experiments.files(self.conf, version.run_id, "model") as folder:
                self._write(version, {MODEL_HASH: binding.hash_model(folder)})
        return self.get(version.number)

    def require_unchanged(self, version: Version) -> None:
        """Check that a version's model in the store is the one that was registered.

        Raises:
            GateError: it is another one.
        """
        if version.model_hash is None:
            binding.say_unbound(version.number)
            return
        with experiments.files(self.conf, version.run_id, "model") as folder:
            self._require_unchanged(version, folder)

    def _require_unchanged(self, version: Version, folder: Path) -> None:
        binding.require_unchanged(
            version.number,
            version.model_hash,
            folder,
            f"Restore the files of run {version.run_id} from a copy. Without one, train again; "
            "`uv run poe rollback --why REASON` replaces a champion.",
        )

    def register(self, run_id: str, role: Role, tags: dict[str, str], why: str) -> Version:
        """Register a run's model as a version; the same run is never registered twice."""
        existing = next((each for each in self.versions() if each.run_id == run_id), None)
        version = existing or self._create(run_id, tags | stamp(role, why))
        if version.role == "challenger":
            self._archive_older_challengers(version)
        return version

    def _create(self, run_id: str, tags: dict[str, str]) -> Version:
        with experiments.store_errors("Registering the model", self.uri):
            try:
                self._client.create_registered_model(self.name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            created = self._client.create_model_version(
                self.name, f"runs:/{run_id}/model", run_id, tags=tags
            )
        return self.get(str(created.version))

    def _archive_older_challengers(self, challenger: Version) -> None:
        """Also after a registration that was interrupted before this."""
        for version in self.versions():
            if version.role == "challenger" and int(version.number) < int(challenger.number):
                why = f"version {challenger.number} is the newer challenger"
                self._write(version, _role_first("archived", why))

    def candidate(self, number: str | None) -> Version:
        """Return the challenger; a given `number` must be the challenger's.

        Raises:
            GateError: there is none, or the version is not the challenger.
        """
        version = self.holder("challenger") if number is None else self.get(number)
        if version is None:
            raise GateError(
                f"{self.name} has no challenger to promote. `uv run mlops models` lists all."
            )
        if version.role != "challenger":
            reason = version.tags.get("role_why", "none given")
            raise GateError(
                f"version {version.number} is {version.role}, only a challenger can be promoted. "
                f"The reason for its role: {reason}"
            )
        return version

    def mark(self, run_id: str, tags: dict[str, str]) -> Version | None:
        """Set tags, in this order, on the version of a run; None if the run has no version."""
        version = next((each for each in self.versions() if each.run_id == run_id), None)
        if version is not None:
            self._write(version, tags)
        return version

    def promote(self, number: str | None, why: str, by: str) -> Version:
        """Make the challenger champion; a given `number` must be the challenger's.

        Raises:
            GateError: the version is not a challenger, or its model is another one by now.
        """
        version = self.candidate(number)
        self.require_unchanged(version)
        former = self.holder("champion")
        previous = {"previous_champion": former.number} if former else {}
        self._write(version, {**previous, **stamp("champion", why, by)})
        self._archive_champions_but(version, f"version {version.number} took its place")
        self.champion()  # is remembered, and the endpoint starts faster
        return self.get(version.number)

    def finish_promotion(self) -> None:
        """Archive the former champion, if a promotion was interrupted before that."""
        champion = self.holder("champion")
        if champion is not None and "previous_champion" in champion.tags:
            former = self.get(champion.tags["previous_champion"])
            if former.role == "champion":
                why = f"version {champion.number} took its place"
                self._write(former, _role_first("archived", why))

    def rollback(self, why: str, by: str) -> tuple[Version, Version]:
        """Make the previous champion champion again; returns (restored, rolled back).

        An interrupted rollback is finished, not repeated.

        Raises:
            GateError: there is no previous champion, or its model is another one by now.
        """
        champion = self.champion()
        champions = [version for version in self.versions() if version.role == "champion"]
        interrupted = (
            version
            for version in champions
            if version.tags.get("previous_champion") == champion.number
        )
        failed = next(interrupted, champion)
        number = failed.tags.get("previous_champion")
        if number is None:
            raise GateError(
                f"version {failed.number} is the first champion: there is no previous one. "
                "Train and promote a better version."
            )
        restored = self.get(number)
        self.require_unchanged(restored)
        tags = stamp("rolled_back", why, by)
        role = {"role": tags.pop("role")}
        self._write(failed, tags)
        restored_tags = stamp("champion", f"rollback of version {failed.number}: {why}", by)
        self._write(restored, restored_tags)  # the later champion counts
        self._write(failed, role)
        self._archive_champions_but(restored, f"version {restored.number} was restored")
        self.champion()  # is remembered
        return self.get(restored.number), self.get(failed.number)

    def _archive_champions_but(self, champion: Version, why: str) -> None:
        for version in self.versions():
            if version.role == "champion" and version.number != champion.number:
                self._write(version, _role_first("archived", why))

    def _write(self, version: Version, tags: dict[str, str]) -> None:
        """Set tags in this order: an interruption must leave a valid champion."""
        action = f"Marking version {version.number}"
        with experiments.store_errors(
            action, self.uri, "`uv run mlops models` shows the current roles"
        ):
            for key, value in tags.items():
                self._client.set_model_version_tag(self.name, version.number, key, value)


def _role_first(role: Role, why: str) -> dict[str, str]:
    """Tags with the role first: otherwise a champion with a later time would count."""
    return {"role": role, **stamp(role, why)}
