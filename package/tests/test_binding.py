"""A version is bound to its model: another model in its place is refused wherever it is used."""

from pathlib import Path

import pytest
from mlops_platform import cli
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.serving import store
from mlops_platform.steps import register
from mlops_platform.tracking import binding
from mlops_platform.tracking.roles import MODEL_HASH

from package.tests.workspaces import Workspace


def files_of(workspace: Workspace, number: str) -> Path:
    """Where the store keeps a version's model."""
    run_id = workspace.registry.get(number).run_id
    return workspace.root / ".mlops" / "artifacts" / run_id / "artifacts" / "model"


def replace(workspace: Workspace, number: str) -> None:
    """Put another model, which loads and predicts, in the place of a version's."""
    other = workspace.fit(f"other-{number}")
    folder = files_of(workspace, number)
    for name in ("model.skops", "MLmodel"):
        (folder / name).write_bytes((other / name).read_bytes())


def use(workspace: Workspace, command: str) -> None:
    """Use the champion's model."""
    if command == "compare":
        workspace.compare(workspace.step("train") / "model")
        return
    version = "champion" if command == "fetch" else "1"
    if command in ("fetch", "fetch by number"):  # the endpoint and the monitor do no more
        store.fetch(workspace.conf, version)
        return
    outputs = [*("--scores", str(workspace.root / "scores")), *("--out", str(workspace.root / "o"))]
    cli.invoke(["score", "--conf", str(workspace.conf), "--data", str(workspace.raw), *outputs])


def refusal(number: str, expected: str) -> str:
    return (
        f"version {number}: its model is not the one that was registered. The hash of its files is "
        rf"[0-9a-f]{{64}}, registered was {expected}. Restore the files of run"
    )


@pytest.mark.parametrize("command", ["fetch", "fetch by number", "score", "compare"])
def test_another_model_in_the_champions_place_is_refused(serving, command):
    use(serving, command)
    registered = serving.registry.get("1").model_hash
    assert registered == binding.hash_model(serving.step("train") / "model")
    replace(serving, "1")
    with pytest.raises(GateError, match=refusal("1", registered)):
        use(serving, command)
    assert serving.roles() == {"1": "champion"}


def test_a_changed_local_copy_is_fetched_again(serving):
    folder = store.fetch(serving.conf, "champion").folder
    before = binding.hash_model(folder)
    (folder / "contract.yml").write_text("min_rows: 1\n")
    assert binding.hash_model(store.fetch(serving.conf, "champion").folder) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "model.skops").write_bytes(b""),
        lambda folder: (folder / "contract.yml").unlink(),
        lambda folder: (folder / "conda.yaml").rename(folder / "conda.yml"),
        lambda folder: (folder / "more").mkdir() or (folder / "more" / "x").touch(),
        # `hash_path` leaves these names out elsewhere.
        lambda folder: (folder / "ethics.yml").touch(),
        lambda folder: (folder / ".DS_Store").touch(),
    ],
    ids=["content", "removed", "renamed", "added", "settings", "hidden"],
)
def test_each_change_of_the_folder_counts(serving, change):
    folder = files_of(serving, "1")
    before = binding.hash_model(folder)
    change(folder)
    assert binding.hash_model(folder) != before


def test_a_changed_challenger_is_not_promoted(trained):
    registered = trained.registry.get("1").model_hash
    replace(trained, "1")
    with pytest.raises(GateError, match=refusal("1", registered)):
        cli.invoke(["promote", "--conf", str(trained.conf)])
    assert trained.roles() == {"1": "challenger"}


def test_a_rollback_to_a_changed_model_is_refused(serving):
    serving.crown(serving.fit("second"))
    registered = serving.registry.get("1").model_hash
    replace(serving, "1")
    with pytest.raises(GateError, match=refusal("1", registered)):
        cli.invoke(["rollback", "--why", "complaints", "--conf", str(serving.conf)])
    assert serving.roles() == {"1": "archived", "2": "champion"}


def test_a_champion_that_was_changed_can_be_rolled_back(serving):
    second = serving.crown(serving.fit("second"))
    replace(serving, second)
    cli.invoke(["rollback", "--why", "it was changed", "--conf", str(serving.conf)])
    assert serving.roles() == {"1": "champion", "2": "rolled_back"}


def test_a_model_that_was_not_evaluated_is_not_registered(trained):
    model = trained.step("train") / "model"
    (model / "reference.json").write_text("{}")
    steps = [trained.step(name) / "evidence" for name in ("evaluate", "compare")]
    with pytest.raises(UsageError, match="is not the model of its run"):
        register.run(trained.conf, model, *steps, trained.root / "out")
    assert not (trained.root / "out").exists()


def test_a_version_without_a_hash_is_used_with_a_notice(serving, capsys):
    number = serving.crown(serving.fit("second"))  # registered without the step, as before 1.1
    assert serving.registry.get(number).model_hash is None
    binding.say_unbound.cache_clear()
    for _ in range(2):
        store.fetch(serving.conf, "champion")
    said = " ".join(capsys.readouterr().err.split())
    assert said.count(f"version {number} has no tag `{MODEL_HASH}`") == 1


def test_promote_records_the_hash_of_an_earlier_releases_challenger(trained):
    registry = trained.registry
    registry._client.delete_model_version_tag(registry.name, "1", MODEL_HASH)
    cli.invoke(["promote", "--conf", str(trained.conf)])
    assert registry.champion().model_hash == binding.hash_model(trained.step("train") / "model")
    replace(trained, "1")
    with pytest.raises(GateError, match="its model is not the one that was registered"):
        use(trained, "fetch")
