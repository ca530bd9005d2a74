"""Who acts when a role changes hands."""

from datetime import UTC, datetime, timedelta

import pytest
from mlops_platform.tracking import roles


@pytest.mark.parametrize("name", ["GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "MLOPS_USER"])
def test_in_ci_the_pipelines_actor_acts(monkeypatch, name):
    for other in ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "MLOPS_USER"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "ann")
    assert roles.current_user() == "ann"


def test_a_machine_without_users_has_an_unknown_actor(monkeypatch):
    for name in ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "MLOPS_USER"):
        monkeypatch.delenv(name, raising=False)
    for error in (OSError, KeyError, ImportError):
        monkeypatch.setattr(roles.getpass, "getuser", lambda error=error: _raise(error))
        assert roles.current_user() == "unknown"


def test_on_a_machine_its_user_acts(monkeypatch):
    for name in ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "MLOPS_USER"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(roles.getpass, "getuser", lambda: "bob")
    assert roles.current_user() == "bob"
    assert roles.stamp("champion", "why")["role_by"] == "bob"


def test_a_stamp_ends_with_the_role_so_that_the_rest_is_there_before():
    stamp = roles.stamp("champion", "it is better", "ann")
    since = stamp.pop("role_since")
    assert list(stamp.items()) == [
        ("role_why", "it is better"),
        ("role_by", "ann"),
        ("role", "champion"),
    ]
    assert datetime.now(UTC) - datetime.fromisoformat(since) < timedelta(minutes=1)
    assert since.endswith("+00:00")
    assert len(since) == len("2026-01-02T03:04:05.678901+00:00"), "text order is time order"


def test_a_version_reads_its_tags():
    tags = {"role": "champion", "role_since": "2026-01-02", "model_hash": "abc"}
    version = roles.Version("1", "run", tags)
    assert (version.role, version.since, version.model_hash) == ("champion", "2026-01-02", "abc")
    foreign = roles.Version("1", "run", {})  # registered by hand
    assert (foreign.role, foreign.since, foreign.model_hash) == ("unknown", "", None)


def _raise(error: type[Exception]):
    raise error
