"""How `az` is run: what is tried again, what is not, and what the messages say to do."""

import os
import shlex
import signal
import subprocess
import sys

import pytest
from mlops_platform.azure import az as module
from mlops_platform.azure import extension
from mlops_platform.azure.az import MAX_ATTEMPTS, Az, normalize_state
from mlops_platform.core.errors import UsageError
from mlops_platform.settings import load_cloud

from package.tests.azure import scenarios

MISSING = f"`{extension.ADD}`"
FIXES = {
    "ERROR: 'ml' is misspelled or not recognized by the system.": MISSING,
    "The command requires the extension ml. Unable to prompt": MISSING,
    "ERROR: Please run 'az login' to setup account.": "Run `az login`",
    "(AuthorizationFailed) The client does not have authorization; timed out": "Ask for the role",
    "AADSTS700016: Application was not found": "Ask for the role",
    "(ValidationError) instance_type is not supported": "failed: (ValidationError)",
}
PASSING = [
    "(TooManyRequests) Rate limit",
    "ERROR: Operation returned an invalid status 'Service Unavailable'",
    "504 Gateway Time-out",
    "HTTPSConnectionPool(host='x'): Read timed out.",
    "('Connection aborted.', RemoteDisconnected('...'))",
    "Conflict of operation, another operation on same entity is already running in workspace w.",
]


class Answers:
    """Takes the place of `subprocess.run`: answers in turn, the last one for ever."""

    def __init__(self, *answers: tuple[int, str, str]) -> None:
        self.answers = list(answers)
        self.commands: list[list[str]] = []

    def __call__(self, command, **options):
        """One answer."""
        self.commands.append(command)
        self.variables = options["env"]
        code, out, err = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return subprocess.CompletedProcess(command, code, out, err)


@pytest.fixture
def az(monkeypatch):
    """An Az of dev, whose answers a test gives."""
    monkeypatch.setattr(module.shutil, "which", lambda name: name)
    for name in extension.CI_SIGNS:
        monkeypatch.delenv(name, raising=False)
    extension._install.cache_clear()
    monkeypatch.setenv("MLOPS_AZURE_PAUSE", "0")

    def make(*answers: tuple[int, str, str], dry_run: bool = False) -> tuple[Az, Answers]:
        given = Answers(*answers)
        monkeypatch.setattr(module.subprocess, "run", given)
        return Az(load_cloud(scenarios.PROJECT / "conf", "dev"), dry_run=dry_run), given

    return make


@pytest.mark.parametrize("message", FIXES)
def test_what_does_not_pass_is_not_tried_again_and_says_how_to_fix_it(az, message):
    client, given = az((1, "", message))
    with pytest.raises(UsageError) as error:
        client.read("model", "show")
    assert FIXES[message] in str(error.value)
    assert len(given.commands) == 1


def test_without_az_the_message_says_how_to_get_it(az, monkeypatch):
    client, _ = az((0, "{}", ""))
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match="Install the Azure CLI"):
        client.read("model", "show")


@pytest.mark.parametrize("message", PASSING)
def test_what_passes_is_tried_again(az, message):
    client, given = az((1, "", message), (1, "", message), (0, '{"a": 1}', ""))
    assert client.read("model", "show") == {"a": 1}
    assert len(given.commands) == 3


def test_a_state_that_cannot_be_read_is_no_answer(az):
    client, given = az((1, "", "timed out"))
    with pytest.raises(UsageError, match="the state is not known and nothing more is done"):
        client.read("model", "show")
    assert len(given.commands) == MAX_ATTEMPTS
    client, _ = az((0, "<html>", ""))
    with pytest.raises(UsageError, match="did not return JSON, so the state is not known"):
        client.read("model", "show")


def test_only_a_show_may_find_nothing(az):
    client, _ = az((3, "", "not found"))
    assert client.read("model", "show") is None
    with pytest.raises(UsageError, match="not found"):
        client.read("model", "list")


def test_scale_rules_are_not_those_of_the_extension(az):
    client, given = az((3, "", "not found"))
    assert client.read("monitor", "autoscale", "show", "--name", "a") is None
    assert given.commands[0][:4] == ["az", "monitor", "autoscale", "show"]
    with pytest.raises(UsageError, match="`az monitor autoscale list` failed: not found"):
        client.read("monitor", "autoscale", "list")


def test_a_change_that_azure_does_not_show_is_an_error(az):
    client, given = az((0, "{}", ""))
    with pytest.raises(
        UsageError, match=r"tags: not visible in Azure after .* Output of `az`: done"
    ):
        client.ensure("tags", lambda: False, "model", "update")
    assert len(given.commands) == 1  # it succeeded: sending it again would not help


def test_a_change_that_was_cut_off_but_took_effect_is_not_sent_again(az):
    client, given = az((1, "", "timed out"))
    client.ensure("tags", lambda: bool(given.commands), "model", "update")
    assert len(given.commands) == 1


def test_a_dry_run_shows_the_command_and_leaves_it(az, capsys):
    client, given = az((0, "{}", ""), dry_run=True)
    client.ensure("tags", lambda: False, "model", "update", "--set", "tags.role_why=a b")
    assert given.commands == []
    assert "would run: az ml model update --set 'tags.role_why=a b'" in capsys.readouterr().err


def test_each_command_is_shown(az, capsys):
    client, _ = az((0, "{}", ""))
    client.read("model", "show", "--name", "a b")
    shown = capsys.readouterr().err.strip().removeprefix("$ ")
    assert shlex.split(shown)[:6] == ["az", "ml", "model", "show", "--name", "a b"]


def test_states_of_the_sdk_and_of_azure_are_one(monkeypatch):
    assert (
        normalize_state("DeploymentProvisioningState.SUCCEEDED")
        == normalize_state("Succeeded")
        == "succeeded"
    )
    monkeypatch.setenv("MLOPS_AZURE_PAUSE", "soon")
    with pytest.raises(UsageError, match="MLOPS_AZURE_PAUSE: 'soon' is not a number"):
        module.wait_interval(1)


def test_the_look_waits_until_a_state_has_settled(az):
    client, _ = az((0, "{}", ""))
    states = iter(["Creating", "Updating", "Succeeded"])
    assert client.wait_until_settled(lambda: next(states), str) == "Succeeded"


@pytest.mark.parametrize(
    "words",
    [
        "ml model show --name a --version 1 --workspace w",
        "ml model show --name a",
        "ml online-endpoint show --name e f --resource-group g --workspace-name w",
        "ml online-endpoint upgrade --name e",
        "ml autoscale show --name a --resource-group g",
        "monitor autoscale show --name a --resource-group g --workspace-name w",
        "monitor autoscale rule create --autoscale-name a --resource-group g --condition c --scale",
        "model show",
    ],
)
def test_the_stand_in_refuses_what_az_does_not_know(words):
    code, _, error = _call(words)
    assert code == 2, error


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("compute create --file missing.yml", "No such file"),
        ("online-endpoint update --name e --traffic blue=100", "cannot take traffic"),
        ("online-endpoint update --name e --traffic a=40", "cannot take traffic"),
        ("online-endpoint show --name other", "was not found"),
    ],
)
def test_the_stand_in_refuses_what_azure_does_not_do(words, reason):
    code, _, error = _call(f"ml {words} --resource-group g --workspace-name w")
    assert code in (1, 3)
    assert reason in error


def _call(words: str) -> tuple[int, str, str]:
    endpoint = {"deployments": {}, "traffic": {}, "mirror_traffic": {}}
    memory = scenarios.az_standin.Memory({"workspaces": ["w"], "online": {"e": endpoint}})
    return scenarios.az_standin.main(words.split(), memory, lambda: None)


@pytest.mark.parametrize("call", [20, 30, 40])
def test_as_processes_a_rollout_survives_the_end_of_its_own(deployed, tmp_path, monkeypatch, call):
    """The real things: `mlops` as a process, the stand-in as `az` on PATH, SIGKILL."""
    monkeypatch.undo()
    bin_folder = scenarios.executable(tmp_path / "bin")
    deployed.fail(call, "kill after")
    kept = tmp_path / "azure.json"
    deployed.azure.save(kept)
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(scenarios.PROJECT / "src"),
        "AZ_STANDIN": str(kept),
        "MLOPS_AZURE_PAUSE": "0",
    }
    command = [sys.executable, "-m", "mlops_platform", "azure", "rollout", "--env", "prod"]
    codes = [
        subprocess.run(
            command, cwd=deployed.root, env=environment, check=False, capture_output=True
        ).returncode
        for _ in range(2)
    ]
    assert codes == [-signal.SIGKILL, 0]
    vars(deployed.azure).update(vars(scenarios.az_standin.Memory.load(kept)))
    assert list(scenarios.unserved_champions(deployed)) == []
    assert deployed.online()["traffic"] == {"green": 100}
    assert deployed.roles() == {"1": "archived", "2": "champion"}


SHOW = ["az", "extension", "show", "--name", "ml", "--output", "json"]
REMOVE = ["az", "extension", "remove", "--name", "ml"]
ADD = f"az extension add --name ml --version {extension.VERSION} --yes --only-show-errors".split()


@pytest.mark.parametrize(
    ("shown", "done"),
    [
        ((0, f'{{"version": "{extension.VERSION}"}}', ""), []),
        ((1, "", "The extension ml is not installed."), [ADD]),
        ((0, '{"version": "2.99.0"}', ""), [REMOVE, ADD]),  # on an agent of the firm's own
    ],
)
@pytest.mark.parametrize("sign", extension.CI_SIGNS)
def test_in_ci_the_extension_has_the_tested_version(az, monkeypatch, sign, shown, done):
    """Whatever runs with the identity of production is chosen by a release, not by the day."""
    made, given = az(shown, *[(0, "{}", "")] * (len(done) + 2))
    monkeypatch.setenv(sign, "true")
    made.read("model", "list")
    made.read("model", "list")  # it is asked for once
    assert given.commands[: len(done) + 1] == [SHOW, *done]
    assert [command[1] for command in given.commands[len(done) + 1 :]] == ["ml", "ml"]


def test_an_extension_that_cannot_be_installed_is_told(az, monkeypatch):
    made, _ = az((1, "", ""), (1, "", "no such version"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(UsageError, match=r"no such version\nInstall version 2\.44\.1"):
        made.read("model", "list")


def test_no_extension_is_installed_on_a_persons_machine_or_by_az_itself(az, monkeypatch):
    made, given = az((0, "{}", ""))
    made.read("model", "list")
    assert [command[1] for command in given.commands] == ["ml"]
    assert given.variables["AZURE_EXTENSION_USE_DYNAMIC_INSTALL"] == "no"
