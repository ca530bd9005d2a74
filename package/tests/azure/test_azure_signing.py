"""A shared version is signed, and nothing but what was signed is deployed from the registry."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mlops_platform.delivery import signing
from mlops_platform.tracking import binding

from package.tests.azure import scenarios
from package.tests.azure.az_standin import Memory
from package.tests.azure.scenarios import REGISTRY, Runner, Scenario

PUBLIC = "conf/signing.pub"
SHARE = ("share", "1", "--env", "dev")


def new_key(folder: Path) -> Path:
    """A pair of keys, as docs/azure.md makes it; returns the private one's path."""
    folder.mkdir(exist_ok=True)
    key = folder / "signing.pem"
    make = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    subprocess.run([*make, "-out", key], check=True, capture_output=True)
    public = ("openssl", "pkey", "-in", key, "-pubout", "-out", folder / "signing.pub")
    subprocess.run(public, check=True, capture_output=True)
    return key


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The files of a model, as Azure keeps them."""
    folder = tmp_path / "kept" / "model"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    (folder / "model.skops").write_bytes(b"weights")
    return folder


@pytest.fixture(scope="session")
def made_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The team's private key."""
    return new_key(tmp_path_factory.mktemp("signing") / "keys")


@pytest.fixture
def key(made_key: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The team's private key, which the environment names."""
    monkeypatch.setenv(signing.PRIVATE_KEY, str(made_key))
    return made_key


@pytest.fixture
def keyed(trained: Scenario, model: Path, key: Path) -> Scenario:
    """Dev has version 1, and the project names the public key."""
    project = trained.root / "conf" / "project.yml"
    project.write_text(f"{project.read_text()}signing_key: {PUBLIC}\n")
    shutil.copy(key.with_name("signing.pub"), trained.root / PUBLIC)
    trained.change(files={"1": str(model)})
    return record(trained, model)


@pytest.fixture(scope="session")
def _shared_states() -> list[dict[str, Any]]:
    """Azure after the sharing, made by the first test that needs it: the tool takes a second."""
    return []


@pytest.fixture
def shared(
    mlops: Runner, keyed: Scenario, model: Path, _shared_states: list[dict[str, Any]]
) -> Scenario:
    """Version 1 is in the registry with its signature, and production has endpoints."""
    if not _shared_states:
        assert mlops(keyed, *SHARE) == "done"
        assert mlops(keyed, "setup", "--env", "prod") == "done"
        _shared_states.append(keyed.state())
    return Scenario(keyed.root, Memory(_shared_states[0] | {"files": {"1": str(model)}}))


def record(scenario: Scenario, model: Path) -> Scenario:
    """Let the tags be those of these files: whoever may write files may write tags, too."""
    state = scenario.state()
    for versions in (state["models"], state["registries"][REGISTRY]):
        for version in versions.values():
            version["tags"]["model_hash"] = binding.hash_model(model)
    scenario.change(**state)
    return scenario


def test_a_version_is_shared_with_its_signature_and_deployed(mlops: Runner, shared: Scenario):
    ((name, versions),) = shared.state()["signatures"].items()
    assert name == f"credit-risk-signature-{signing.fingerprint(shared.root / PUBLIC)}"
    assert list(versions) == ["1"]
    assert mlops(shared, "deploy", "1", "--env", "prod") == "done"
    assert shared.online()["deployments"]["blue"]["model"].endswith("/versions/1")


def test_sharing_again_keeps_the_signature(mlops: Runner, shared: Scenario):
    before = shared.state()["signatures"]
    assert mlops(shared, *SHARE) == "done"
    assert shared.state()["signatures"] == before


def change(model: Path) -> None:
    (model / "model.skops").write_bytes(b"other weights")


def remove(model: Path) -> None:
    (model / "model.skops").unlink()


def add(model: Path) -> None:
    (model / "more.txt").write_text("more")


def add_for_git(model: Path) -> None:
    """The tool leaves such files out unless it is told not to."""
    (model / ".git").mkdir()
    (model / ".git" / "more").write_text("more")


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (change, "Hash mismatch for 'model.skops'"),
        (remove, "Missing files in model 'model': model.skops"),
        (add, "Extra files found in model 'model': more.txt"),
        (add_for_git, "Extra files found in model 'model': .git/more"),
    ],
)
def test_other_files_than_those_signed_are_not_deployed(
    mlops: Runner, shared: Scenario, model: Path, alter, reason
):
    alter(model)
    said = scenarios.refusal(mlops, record(shared, model), "deploy", "1", "--env", "prod")
    assert "version 1: its signature does not fit its model and conf/signing.pub" in said
    assert reason in said.replace("\\'", "'")
    assert f"Find out who changed it in the registry {REGISTRY}, and train again." in said


def test_a_signature_of_another_key_is_not_deployed(
    mlops: Runner, shared: Scenario, model: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv(signing.PRIVATE_KEY, str(new_key(tmp_path / "others")))
    state = shared.state()
    ((_, versions),) = state["signatures"].items()
    versions["1"]["text"] = signing.sign(model)
    shared.change(**state)
    said = scenarios.refusal(mlops, shared, "deploy", "1", "--env", "prod")
    assert "its signature does not fit" in said
    assert "Key mismatch" in said


def test_a_file_that_is_no_signature_is_not_deployed(mlops: Runner, shared: Scenario):
    state = shared.state()
    ((_, versions),) = state["signatures"].items()
    versions["1"]["text"] = "{}"
    shared.change(**state)
    said = scenarios.refusal(mlops, shared, "deploy", "1", "--env", "prod")
    assert "version 1: its signature does not fit its model and conf/signing.pub" in said


def test_a_version_without_signature_is_not_deployed(mlops: Runner, shared: Scenario):
    shared.change(signatures={})
    said = scenarios.refusal(mlops, shared, "deploy", "1", "--env", "prod")
    assert f"registry {REGISTRY} is not signed with the key of {PUBLIC}. Share it again" in said


def test_with_a_new_key_a_version_is_signed_again(
    mlops: Runner, shared: Scenario, tmp_path: Path, monkeypatch
):
    key = new_key(tmp_path / "new")
    shutil.copy(key.with_name("signing.pub"), shared.root / PUBLIC)
    said = scenarios.refusal(mlops, shared, "deploy", "1", "--env", "prod")
    assert "is not signed with the key of" in said
    monkeypatch.setenv(signing.PRIVATE_KEY, str(key))
    assert mlops(shared, *SHARE) == "done"
    assert mlops(shared, "deploy", "1", "--env", "prod") == "done"


def test_dev_deploys_what_was_not_shared(mlops: Runner, keyed: Scenario):
    assert mlops(keyed, "setup", "--env", "dev") == "done"
    assert mlops(keyed, "deploy", "1", "--env", "dev") == "done"
    assert keyed.state()["signatures"] == {}


def test_without_a_private_key_nothing_is_shared(mlops: Runner, keyed: Scenario, monkeypatch):
    monkeypatch.delenv(signing.PRIVATE_KEY)
    said = scenarios.refusal(mlops, keyed, *SHARE)
    assert "MLOPS_SIGNING_KEY is not set" in said
    monkeypatch.setenv(signing.PRIVATE_KEY, "nowhere/secret.pem")
    said = scenarios.refusal(mlops, keyed, *SHARE)
    assert "MLOPS_SIGNING_KEY names no file" in said
    assert "secret.pem" not in said


def test_the_private_key_of_another_pair_shares_nothing(
    mlops: Runner, keyed: Scenario, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv(signing.PRIVATE_KEY, str(new_key(tmp_path / "others")))
    said = scenarios.refusal(mlops, keyed, *SHARE)
    assert "Key mismatch" in said
    assert "Sign with the private key of this public one: MLOPS_SIGNING_KEY." in said


def test_a_key_that_cannot_sign_shares_nothing(
    mlops: Runner, keyed: Scenario, tmp_path: Path, monkeypatch
):
    key = tmp_path / "other.pem"
    make = ("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
    subprocess.run(make, check=True, capture_output=True)
    monkeypatch.setenv(signing.PRIVATE_KEY, str(key))
    said = scenarios.refusal(mlops, keyed, *SHARE)
    assert "the key of MLOPS_SIGNING_KEY cannot sign" in said
    assert str(key) not in said


def test_a_public_key_that_is_none_is_refused(mlops: Runner, keyed: Scenario, key: Path):
    public = keyed.root / PUBLIC
    public.write_text(key.read_text())
    assert "holds a private key. Remove it" in scenarios.refusal(mlops, keyed, *SHARE)
    public.write_text("no key")
    assert "is no public key in PEM" in scenarios.refusal(mlops, keyed, *SHARE)
    public.unlink()
    said = scenarios.refusal(mlops, keyed, *SHARE)
    assert "conf/project.yml, field `signing_key`: conf/signing.pub cannot be read" in said


def test_without_package_index_the_tool_is_missing_and_nothing_is_said_of_the_signature(
    mlops: Runner, shared: Scenario, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    said = scenarios.refusal(mlops, shared, "deploy", "1", "--env", "prod")
    assert "the signature of version 1 cannot be verified: " in said
    assert "try again when it can be reached" in said


def test_a_dry_run_shares_and_signs_nothing(mlops: Runner, keyed: Scenario):
    assert mlops(keyed, *SHARE, "--dry-run") == "done"
    assert keyed.state()["signatures"] == {}
    assert keyed.state()["registries"][REGISTRY] == {}


def test_without_a_key_nothing_is_signed(mlops: Runner, trained: Scenario):
    assert mlops(trained, *SHARE) == "done"
    assert trained.state()["signatures"] == {}


def test_the_tools_packages_are_those_of_the_day_that_the_template_was_tested():
    text = Path("uv.toml").read_text(encoding="utf-8")
    assert f'exclude-newer = "{signing.TESTED}"' in text
