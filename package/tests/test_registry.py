"""Versions and roles: whatever fails, and wherever, the right model serves."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking import binding, experiments
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import Version, current_user


@pytest.fixture
def registry(workspace) -> Registry:
    return workspace.registry


def register(registry: Registry, role="challenger", why="planted") -> str:
    """A version of a new run; returns its number."""
    run_id = experiments.start(registry.conf, name="run", tags={})
    return registry.register(run_id, role, {"git_commit": "abc"}, why).number


def promoted(registry: Registry) -> str:
    return registry.promote(register(registry), "it is better", "tests").number


def roles(registry: Registry) -> list[str]:
    return [version.role for version in registry.versions()]


def refusal(error: type[Exception], act: Callable[..., object], *arguments: object) -> str:
    """The message with which `act` refuses."""
    with pytest.raises(error) as caught:
        act(*arguments)
    return str(caught.value)


def test_a_registry_without_versions_has_no_champion(registry):
    assert registry.versions() == []
    assert registry.holder("champion") is None
    assert registry.mark("no run", {"seen": "yes"}) is None
    assert refusal(UsageError, registry.champion) == (
        "credit-risk has no champion yet. Train a challenger with `uv run poe pipeline`, then make "
        "it champion with `uv run poe promote`."
    )
    assert refusal(GateError, registry.promote, None, "why", "who") == (
        "credit-risk has no challenger to promote. `uv run mlops models` lists all."
    )
    assert refusal(UsageError, registry.get, "1") == (
        "version '1' of credit-risk does not exist; there are: none yet."
    )


def test_versions_are_in_the_order_of_their_numbers(registry):
    """Ten comes after nine, also where the store sends a page at a time."""
    for _ in range(11):
        register(registry)
    real, pages = registry._client, []

    def search(query: str, page_token: str | None):
        assert page_token not in pages, "the same page again"
        pages.append(page_token)
        return real.search_model_versions(query, max_results=4, page_token=page_token)

    registry._client = SimpleNamespace(search_model_versions=search)
    numbers = [str(number) for number in range(1, 12)]
    assert [version.number for version in registry.versions()] == numbers
    assert len(pages) == 3
    registry._client = real
    assert registry.get("10").number == "10"
    assert refusal(UsageError, registry.get, "12") == (
        f"version '12' of credit-risk does not exist; there are: {', '.join(numbers)}."
    )


def test_versions_of_another_project_in_the_same_store_are_not_ours(workspace):
    register(workspace.registry)
    workspace.change("project.yml", name="another")
    other = workspace.registry
    assert other.versions() == []
    assert register(other) == "1"
    assert len(other.versions()) == 1


def test_a_version_says_where_the_store_has_its_model(registry):
    version = registry.get(register(registry))
    found = registry._client.get_model_version(registry.name, version.number)
    assert (found.run_id, found.source) == (version.run_id, f"runs:/{version.run_id}/model")


def test_only_a_store_in_a_file_is_local(workspace, monkeypatch):
    assert workspace.registry.is_local
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.com")
    assert not workspace.registry.is_local


def test_from_challenger_to_champion_and_back(registry):
    promoted(registry)
    promoted(registry)
    assert roles(registry) == ["archived", "champion"]
    restored, failed = registry.rollback("complaints", "ann")
    assert (restored.number, failed.number) == ("1", "2")
    assert roles(registry) == ["champion", "rolled_back"]


def test_each_version_says_who_when_and_why(registry):
    for why in ("first", "better"):
        registry.promote(register(registry), why, "ann")
    registry.rollback("complaints", "bob")
    promoted(registry)
    register(registry)
    register(registry)
    me = current_user()
    assert [
        (version.role, version.tags["role_by"], version.tags["role_why"])
        for version in registry.versions()
    ] == [
        ("archived", me, "version 3 took its place"),
        ("rolled_back", "bob", "complaints"),
        ("champion", "tests", "it is better"),
        ("archived", me, "version 5 is the newer challenger"),
        ("challenger", me, "planted"),
    ]
    for version in registry.versions():
        assert version.tags["git_commit"] == "abc"
        assert datetime.fromisoformat(version.since).utcoffset() == timedelta(0)
    assert registry.get("3").tags["previous_champion"] == "1"
    assert "previous_champion" not in registry.get("1").tags


def test_a_restored_champion_says_what_it_replaced(registry):
    promoted(registry)
    promoted(registry)
    restored, failed = registry.rollback("complaints", "ann")
    assert restored.tags["role_why"] == "rollback of version 2: complaints"
    assert (restored.tags["role_by"], failed.tags["role_by"]) == ("ann", "ann")


def test_tags_are_set_on_the_version_of_a_run(registry):
    register(registry)
    second = registry.get(register(registry))
    assert registry.mark(second.run_id, {"seen": "yes"}) == second, "as it was"
    assert ["seen" in version.tags for version in registry.versions()] == [False, True]


@pytest.mark.parametrize("role", ["rejected", "archived", "rolled_back", "champion"])
def test_only_a_challenger_is_promoted(registry, role):
    first = promoted(registry)
    other = register(registry, role, why="it lost")
    assert refusal(GateError, registry.promote, other, "please", "tests") == (
        f"version {other} is {role}, only a challenger can be promoted. "
        "The reason for its role: it lost"
    )
    if role != "champion":
        assert registry.champion().number == first


def test_a_version_that_was_registered_by_hand_is_not_promoted(registry):
    run_id = experiments.start(registry.conf, name="run", tags={})
    registry._client.create_registered_model(registry.name)
    registry._client.create_model_version(registry.name, f"runs:/{run_id}/model", run_id)
    assert refusal(GateError, registry.promote, "1", "please", "tests") == (
        "version 1 is unknown, only a challenger can be promoted. "
        "The reason for its role: none given"
    )


def test_a_rejected_version_is_never_taken_by_default(registry):
    register(registry, "rejected")
    with pytest.raises(GateError, match="no challenger"):
        registry.promote(None, "why", "who")


def test_a_newer_challenger_replaces_the_older(registry):
    register(registry)
    register(registry)
    assert roles(registry) == ["archived", "challenger"]
    assert registry.promote(None, "why", "who").number == "2"


def test_the_same_run_is_one_version(registry):
    run_id = experiments.start(registry.conf, name="run", tags={})
    first = registry.register(run_id, "challenger", {}, "planted")
    again = Registry(registry.conf).register(run_id, "rejected", {}, "other")
    assert again == first
    assert roles(registry) == ["challenger"]


def test_two_at_once_leave_one_newest_challenger(workspace, monkeypatch):
    """Another process registers between our look and our write."""
    registry, other = workspace.registry, workspace.registry
    create = registry._client.create_model_version

    def late(*arguments, **options):
        register(other)
        return create(*arguments, **options)

    monkeypatch.setattr(registry._client, "create_model_version", late)
    register(registry)
    monkeypatch.undo()
    assert registry.holder("challenger").number == "2"
    assert registry.promote(None, "why", "who").number == "2"


def test_the_first_champion_cannot_be_rolled_back(registry):
    promoted(registry)
    assert refusal(GateError, registry.rollback, "why", "who") == (
        "version 1 is the first champion: there is no previous one. "
        "Train and promote a better version."
    )
    assert roles(registry) == ["champion"]


def test_each_rollback_goes_one_champion_back(registry):
    for _ in range(3):
        promoted(registry)
    assert registry.rollback("why", "who")[0].number == "2"
    assert registry.rollback("why", "who")[0].number == "1"
    assert roles(registry) == ["champion", "rolled_back", "rolled_back"]
    with pytest.raises(GateError, match="first champion"):
        registry.rollback("why", "who")


class Failing:
    """A client whose n-th call of `method`, counted from 0, and all later calls fail."""

    def __init__(self, client, nth: int, method: str | None = None) -> None:
        self.client, self.nth, self.method, self.calls = client, nth, method, 0

    def __getattr__(self, name: str):
        found = getattr(self.client, name)
        if not callable(found) or (self.method or name) != name:
            return found

        def call(*arguments, **options):
            self.calls += 1
            if self.calls > self.nth:
                raise ConnectionError("the line went dead")
            return found(*arguments, **options)

        return call


# Version 1 was champion before 2, version 3 lost, version 4 may be promoted.
START = {"1": "archived", "2": "champion", "3": "rejected", "4": "challenger"}


def fail_everywhere(workspace, act) -> list[str]:
    """`act` on a store that fails after 0, 1, 2 ... calls; the champion after each time.

    The last time it ends well.
    """
    registry = workspace.registry
    for _ in START:
        register(registry)
    real, champions = registry._client, []
    for nth in range(60):
        for number, role in START.items():
            before = {"previous_champion": "1"} if number == "2" else {}
            for key, value in {"role_since": f"2026-01-0{number}", "role": role, **before}.items():
                real.set_model_version_tag(registry.name, number, key, value)
        real.delete_model_version_tag(registry.name, "4", "previous_champion")
        registry._client = Failing(real, nth)
        ended = False
        with suppress(UsageError):
            act(registry)
            ended = True
        registry._client = real
        champions.append(registry.champion().number)
        assert registry.get("3").role == "rejected"
        if ended:
            assert roles(registry).count("champion") == 1
            return champions
    raise AssertionError("never ended well")


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        pytest.param(lambda registry: registry.promote(None, "why", "who"), "2", "4", id="promote"),
        pytest.param(lambda registry: registry.rollback("why", "who"), "2", "1", id="rollback"),
    ],
)
def test_a_store_that_fails_leaves_the_old_or_the_new_champion(workspace, act, before, after):
    champions = fail_everywhere(workspace, act)
    assert set(champions) == {before, after}
    done = champions.index(after)
    assert done >= 5
    assert set(champions[done:]) == {after}  # once it is done, it stays done


def test_a_registration_that_was_interrupted_is_finished_by_the_next_run(registry):
    register(registry)
    run_id, real = experiments.start(registry.conf, name="run", tags={}), registry._client
    registry._client = Failing(real, 0, "set_model_version_tag")
    with pytest.raises(UsageError):
        registry.register(run_id, "challenger", {}, "planted")
    registry._client = real
    assert roles(registry) == ["challenger", "challenger"]
    assert registry.register(run_id, "challenger", {}, "planted").number == "2"
    assert roles(registry) == ["archived", "challenger"]


def test_a_promotion_that_was_interrupted_is_finished_by_the_next_command(mlops, workspace):
    workspace.change("project.yml", stage="explore")
    registry = workspace.registry
    promoted(registry)
    register(registry)
    real = registry._client
    registry._client = Failing(real, 5, "set_model_version_tag")
    with pytest.raises(UsageError):
        registry.promote(None, "why", "who")
    registry._client = real
    assert roles(registry) == ["champion", "champion"]
    code, _, err = mlops(workspace, "promote")
    assert (code, "no challenger to promote" in err) == (1, True)
    assert roles(registry) == ["archived", "champion"]
    assert registry.get("1").tags["role_why"] == "version 2 took its place"


def test_without_an_interrupted_promotion_there_is_nothing_to_finish(registry):
    for expected in ([], ["champion"], ["archived", "champion"]):
        assert roles(registry) == expected
        registry.finish_promotion()
        assert roles(registry) == expected
        promoted(registry)


def test_a_rollback_leaves_one_champion(registry):
    for _ in range(3):
        promoted(registry)
    registry.mark(registry.get("1").run_id, {"role": "champion"})  # as if never archived
    registry.rollback("why", "who")
    assert roles(registry) == ["archived", "champion", "rolled_back"]
    assert registry.get("1").tags["role_why"] == "version 2 was restored"


@pytest.mark.parametrize("nth", [3, 6, 7, 8])
def test_a_rollback_that_was_interrupted_can_be_repeated(workspace, nth):
    registry = workspace.registry
    for _ in range(3):
        promoted(registry)
    real = registry._client
    registry._client = Failing(real, nth, "set_model_version_tag")
    with pytest.raises(UsageError) if nth < 8 else nullcontext():
        registry.rollback("why", "who")
    registry._client = real
    if nth < 8:
        registry.rollback("why", "who")
    assert roles(registry) == ["archived", "champion", "rolled_back"]


def test_a_message_after_a_failed_write_does_not_claim_that_nothing_changed(workspace):
    registry = workspace.registry
    promoted(registry)
    register(registry)
    registry._client = Failing(registry._client, 5, "set_model_version_tag")
    said = refusal(UsageError, registry.promote, None, "why", "who")
    assert said.startswith(
        "Marking version 1 failed, `uv run mlops models` shows the current roles: the line went "
        f"dead\nThe store is {registry.uri}. "
    )


def test_a_registration_that_fails_is_no_registration(workspace):
    registry = workspace.registry
    run_id = experiments.start(registry.conf, name="run", tags={})
    real = registry._client
    registry._client = Failing(real, 0, "create_model_version")
    said = refusal(UsageError, registry.register, run_id, "challenger", {}, "planted")
    assert said.startswith("Registering the model failed, nothing was changed: the line went dead")
    registry._client = Failing(real, 0)
    said = refusal(UsageError, registry.versions)
    assert said.startswith("Reading the registry failed, nothing was changed: the line went dead")
    assert f"The store is {registry.uri}. " in said
    registry._client = real
    assert registry.versions() == []


# ---------------------------------------------------------------- the model of a version


@pytest.fixture
def model(tmp_path) -> Path:
    """The files of a model; the registry reads their bytes alone."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "model.skops").write_bytes(b"weights")
    return folder


def bound(registry: Registry, model: Path) -> Version:
    """A challenger with a model whose hash is recorded."""
    version = registry.get(register(registry))
    experiments.upload(registry.conf, version.run_id, model, "model")
    return registry.record_hash(version)


def replace(registry: Registry, version: Version) -> None:
    """Put another model in the place of a version's."""
    with experiments.files(registry.conf, version.run_id, "model") as folder:
        (folder / "model.skops").write_bytes(b"others")


def test_a_version_is_bound_to_the_model_that_it_had_first(registry, model, tmp_path):
    version = bound(registry, model)
    assert version.model_hash == binding.hash_model(model)
    copy = registry.download(version, tmp_path / "copy")
    assert (copy / "model.skops").read_bytes() == b"weights"
    registry.require_unchanged(version)
    replace(registry, version)
    assert registry.record_hash(version).model_hash == version.model_hash


def test_another_model_is_refused_and_changes_no_role(registry, model, tmp_path):
    version = bound(registry, model)
    replace(registry, version)
    (model / "model.skops").write_bytes(b"others")
    expected = (
        f"version 1: its model is not the one that was registered. The hash of its files is "
        f"{binding.hash_model(model)}, registered was {version.model_hash}. "
        f"Restore the files of run {version.run_id} from a copy. Without one, train again; "
        "`uv run poe rollback --why REASON` replaces a champion."
    )
    assert refusal(GateError, registry.require_unchanged, version) == expected
    assert refusal(GateError, registry.download, version, tmp_path / "copy") == expected
    assert refusal(GateError, registry.promote, None, "why", "who") == expected
    assert roles(registry) == ["challenger"]


def test_a_rollback_to_another_model_is_refused(registry, model):
    first = bound(registry, model)
    registry.promote(None, "why", "who")
    promoted(registry)
    replace(registry, first)
    said = refusal(GateError, registry.rollback, "why", "who")
    assert said.startswith("version 1: its model is not the one that was registered.")
    assert roles(registry) == ["archived", "champion"]


def test_a_version_without_a_hash_is_promoted_with_a_notice(registry, capsys):
    """An earlier release registered it."""
    binding.say_unbound.cache_clear()
    assert promoted(registry) == "1"
    assert "version 1 has no tag `model_hash`" in " ".join(capsys.readouterr().err.split())
