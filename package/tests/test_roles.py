"""Who acts when a role changes hands."""

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


def _raise(error: type[Exception]):
    raise error
