"""Versions of the model and their roles.

A role is the tag `role` of a version: champion (serves), challenger (may become champion),
archived, rejected, rolled_back. Tags, because MLflow's stages and aliases do not exist on every
store that Azure ML offers. Where an interrupted change left two champions, the later one counts,
and the next change puts it right.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.settings import load_project
from mlops_platform.tracking import experiments
from mlops_platform.tracking.experiments import MlflowClient, MlflowException
from mlops_platform.tracking.roles import Role, Version, stamp


class Registry:
    """The project's registered model."""

    def __init__(self, conf: Path) -> None:
        self.conf = conf
        self.name = load_project(conf).name
        self.uri = experiments.store_uri(conf)
        self._client: MlflowClient = experiments.connect(conf)

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        with experiments.reachable("Reading the registry", self.uri):
            found: list[Version] = []
            token: str | None = None
            while True:
                page = self._client.search_model_versions(f"name='{self.name}'", page_token=token)
                found += [Version(str(v.version), str(v.run_id), dict(v.tags)) for v in page]
                token = page.token
                if not token:
                    return sorted(found, key=lambda version: int(version.number))

    def get(self, number: str) -> Version:
        """One version."""
        versions = self.versions()
        for version in versions:
            if version.number == number:
                return version
        known = ", ".join(version.number for version in versions) or "none yet"
        raise UsageError(f"version '{number}' of {self.name} does not exist; there are: {known}.")

    def holder(self, role: Role) -> Version | None:
        """The version that holds a role; the latest where several do."""
        holders = [version for version in self.versions() if version.role == role]
        return max(holders, key=lambda version: version.since, default=None)

    def champion(self) -> Version:
        """The version that serves.

        Raises:
            UsageError: there is none yet.
        """
        champion = self.holder("champion")
        if champion is None:
            raise UsageError(
                f"{self.name} has no champion yet. Train a challenger with `uv run poe pipeline`, "
                "then make it champion with `uv run poe promote`."
            )
        return champion

    def download(self, version: Version, folder: Path) -> Path:
        """Copy a version's model into `folder`, and return where it lies."""
        return experiments.download(self.conf, version.run_id, "model", folder)

    def register(self, run_id: str, role: Role, tags: dict[str, str], why: str) -> Version:
        """Make a version of a run's model; the same run is never registered twice."""
        for version in self.versions():
            if version.run_id == run_id:
                return version
        with experiments.reachable("Registering the model", self.uri):
            try:
                self._client.create_registered_model(self.name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            made = self._client.create_model_version(
                self.name, f"runs:/{run_id}/model", run_id, tags={**tags, **stamp(role, why)}
            )
        if role == "challenger":
            for version in self.versions():
                if version.role == "challenger" and int(version.number) < int(made.version):
                    why = f"version {made.version} is the newer challenger"
                    self._write(version, _fall("archived", why))
        return self.get(str(made.version))

    def candidate(self, number: str | None) -> Version:
        """The challenger; `number`, where given, must be the challenger's.

        Raises:
            GateError: there is none, or the version is none.
        """
        version = self.holder("challenger") if number is None else self.get(number)
        if version is None:
            raise GateError(
                f"{self.name} has no challenger to promote. `uv run mlops models` lists all."
            )
        if version.role != "challenger":
            reason = version.tags.get("role_why", "")
            raise GateError(
                f"version {version.number} is {version.role}, only a challenger can be promoted. "
                f"It became so because: {reason}"
            )
        return version

    def mark(self, run_id: str, tags: dict[str, str]) -> Version | None:
        """Set tags, in this order, on the version that a run made; None where it made none."""
        version = next((each for each in self.versions() if each.run_id == run_id), None)
        if version is not None:
            self._write(version, tags)
        return version

    def promote(self, number: str | None, why: str, by: str) -> Version:
        """Make the challenger champion; `number`, where given, must be the challenger's.

        Raises:
            GateError: the version is not a challenger.
        """
        version = self.candidate(number)
        former = self.holder("champion")
        previous = {"previous_champion": former.number} if former else {}
        self._write(version, {**previous, **stamp("champion", why, by)})
        self._archive_champions_but(version, f"version {version.number} took its place")
        return self.get(version.number)

    def rollback(self, why: str, by: str) -> tuple[Version, Version]:
        """Give the role back to the champion before; returns (restored, rolled back).

        One that was interrupted is finished, instead of going back a second time.

        Raises:
            GateError: there was no champion before.
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
                f"version {failed.number} is the first champion: there is none to go back to. "
                "Train and promote a better one."
            )
        restored = self.get(number)
        fall = stamp("rolled_back", why, by)
        role = {"role": fall.pop("role")}
        self._write(failed, fall)
        back = stamp("champion", f"rollback of version {failed.number}: {why}", by)
        self._write(restored, back)  # the later champion counts
        self._write(failed, role)
        self._archive_champions_but(restored, f"version {restored.number} was restored")
        return self.get(restored.number), self.get(failed.number)

    def _archive_champions_but(self, champion: Version, why: str) -> None:
        for version in self.versions():
            if version.role == "champion" and version.number != champion.number:
                self._write(version, _fall("archived", why))

    def _write(self, version: Version, tags: dict[str, str]) -> None:
        """Set tags in this order; it may end after any of them, and `champion` must stay right."""
        doing = f"Marking version {version.number}"
        with experiments.reachable(
            doing, self.uri, "`uv run mlops models` shows the roles that hold now"
        ):
            for key, value in tags.items():
                self._client.set_model_version_tag(self.name, version.number, key, value)


def _fall(role: Role, why: str) -> dict[str, str]:
    """The role is written first: a champion with a later time would count."""
    return {"role": role, **stamp(role, why)}
