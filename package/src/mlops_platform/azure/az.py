"""Runs the command line `az`: its extension `ml`, and groups of its own, such as `az monitor`.

No other module runs `az`. Each command is logged before it runs. Transient errors (throttling,
timeouts, another operation in progress) are retried, other errors are not. An interrupted change
may have taken effect, so it is never simply sent again: `ensure` reads the state first, and after
the change it trusts the state, not the exit code.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

from mlops_platform.azure import extension
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.programs import command_line
from mlops_platform.settings import Cloud

MAX_ATTEMPTS = 6
MAX_POLLS = 180  # reads of a state that is still changing: an hour with the default wait
TIMEOUT = 2 * 60 * 60  # seconds that one command may take; a deployment may take one hour
BEYOND_ML = (
    "account",
    "functionapp",
    "monitor",
    "storage",
)  # groups of `az` that are not its extension's
NOT_FOUND = 3  # exit code of `az ... show` if the resource does not exist
TRANSIENT = re.compile(
    r"TooManyRequests|Too many requests|ServiceUnavailable|Service Unavailable|Bad ?Gateway"
    r"|Gateway ?Time-?out|timed out|\btime-?out\b|Connection (aborted|reset|refused)"
    r"|another operation|operation (is )?in progress",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"Authorization ?Failed|does not have (the )?authorization|Forbidden|Unauthorized|AADSTS\d+",
    re.IGNORECASE,
)
LOGGED_OUT = re.compile(r"\baz login\b", re.IGNORECASE)
NO_EXTENSION = re.compile(r"'ml' is (misspelled|not in)|requires the extension ml\b", re.IGNORECASE)
CHANGING_STATES = {"creating", "updating", "deleting", "scaling"}
Result = TypeVar("Result")


class TransientError(Exception):
    """`az` failed, and a later attempt may succeed."""


class CommandError(UsageError):
    """`az` ran and failed."""


class UnknownStateError(UsageError):
    """The state in Azure could not be read."""


class Az:
    """Runs `az` commands for one environment."""

    def __init__(self, cloud: Cloud, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.group = ["--resource-group", cloud.resource_group]
        self.workspace = [*self.group, "--workspace-name", cloud.workspace]
        self.registry = ["--registry-name", cloud.registry]

    def read(self, *arguments: str) -> Any:
        """Return a command's JSON output; None if the resource does not exist.

        `arguments` follow `az ml`; if the first one is in BEYOND_ML, they follow `az`.

        Raises:
            UsageError: the state cannot be read. It is never assumed.
        """
        return _parse_json(arguments, self._run_with_retries(arguments))

    def download(self, *arguments: str) -> None:
        """Run a command that writes local files and changes nothing in Azure.

        Raises:
            UsageError: it failed; the files may be incomplete.
        """
        self._run_with_retries(arguments)

    def repeat(self, *arguments: str) -> None:
        """Run a change that leads to the same state however often it is sent.

        Raises:
            UsageError: it was refused.
        """
        self._run_with_retries(arguments)

    def wait_until_settled(
        self, read: Callable[[], Result], state: Callable[[Result], str]
    ) -> Result:
        """Call `read` until its state (`Creating`, `Updating`, ...) no longer changes."""
        for _ in range(MAX_POLLS):
            result = read()
            if not is_changing(state(result)):
                return result
            wait_interval(1)
        raise UnknownStateError(
            f"still {normalize_state(state(result))} after {MAX_POLLS} checks. Try again later."
        )

    def ensure(self, what: str, is_done: Callable[[], bool], *arguments: str) -> None:
        """Run a command unless `is_done()` is true; it must be true afterwards.

        A dry run only logs the command.

        Raises:
            UsageError: the change was refused, or Azure does not show it.
        """
        if is_done():
            return
        if self.dry_run:
            _log_command(arguments, "would run: ")
            return
        error: str | None = "not tried"
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if error:
                try:
                    self._run(arguments)
                    error = None
                except TransientError as transient:
                    error = str(transient)
                    wait_interval(attempt)
            else:
                wait_interval(attempt)
            if is_done():
                return
        raise UsageError(
            f"{what}: not visible in Azure after {MAX_ATTEMPTS} attempts. Output of `az`: "
            f"{error or 'done'}\nRun the same command again; it continues from the current state."
        )

    def _run_with_retries(self, arguments: tuple[str, ...]) -> str | None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._run(arguments)
            except TransientError as error:
                if attempt == MAX_ATTEMPTS:
                    raise UnknownStateError(
                        f"`{_command_name(arguments)}` failed {MAX_ATTEMPTS} times, so the state "
                        f"is not known and nothing more is done: {error}\nTry again later."
                    ) from None
                wait_interval(attempt)
        raise AssertionError

    def _run(self, arguments: tuple[str, ...]) -> str | None:
        """Run one command and return its output; None if the resource does not exist.

        Raises:
            Busy: a later attempt may succeed.
            UsageError: the command failed.
        """
        az = shutil.which("az")
        if az is None:
            raise UsageError(
                "`az` is not installed on this machine. Install the Azure CLI, then run "
                f"`{extension.ADD}` and `az login`."
            )
        if arguments[0] != "monitor":
            extension.require(az)
        _log_command(arguments)
        try:
            process = subprocess.run(
                command_line(az, _build_command(arguments)),
                stdin=subprocess.DEVNULL,
                env=os.environ | extension.NO_OTHER,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TransientError(f"no answer within {TIMEOUT} s") from None
        if process.returncode == 0:
            return process.stdout
        output = (
            process.stderr.strip() or process.stdout.strip() or f"exit code {process.returncode}"
        )
        if process.returncode == NOT_FOUND and _command_name(arguments).endswith(" show"):
            return None
        _raise_for_output(arguments, output)
        raise CommandError(f"`{_command_name(arguments)}` failed: {output}")


def set_options(*pairs: str) -> tuple[str, ...]:
    """The option `--set KEY=VALUE ...`; empty without pairs."""
    return ("--set", *pairs) if pairs else ()


def normalize_state(state: str) -> str:
    """Spell `Succeeded` and `DeploymentProvisioningState.SUCCEEDED` the same way."""
    return state.rpartition(".")[2].lower()


def is_changing(state: str) -> bool:
    """Whether this state of an endpoint or a deployment is temporary."""
    return normalize_state(state) in CHANGING_STATES


def wait_interval(factor: int) -> None:
    """Wait `factor` times the seconds in MLOPS_AZURE_PAUSE (default: 20)."""
    text = os.environ.get("MLOPS_AZURE_PAUSE", "20")
    try:
        seconds = float(text)
    except ValueError:
        raise UsageError(
            f"MLOPS_AZURE_PAUSE: {text!r} is not a number of seconds. Set one, such as 20."
        ) from None
    time.sleep(max(0.0, seconds) * factor)


def _raise_for_output(arguments: tuple[str, ...], output: str) -> None:
    """Raise for a known output. The order matters: a refusal may also mention timeouts."""
    if NO_EXTENSION.search(output):
        raise UsageError(f"`az` has no extension `ml`. Run `{extension.ADD}`.")
    if LOGGED_OUT.search(output):
        raise UsageError(f"`az` is not logged in. Run `az login`. Its output: {output}")
    if DENIED.search(output):
        raise UsageError(
            f"`{_command_name(arguments)}` was denied: {output}\nAsk for the role, or "
            "choose the right subscription with `az account set --subscription NAME`."
        )
    if TRANSIENT.search(output):
        raise TransientError(output)


def _build_command(arguments: tuple[str, ...]) -> list[str]:
    extension = [] if arguments[0] in BEYOND_ML else ["ml"]
    return [*extension, *arguments, "--only-show-errors", "--output", "json"]


def _command_name(arguments: tuple[str, ...]) -> str:
    """The command without its options."""
    return " ".join(
        [
            "az",
            *itertools.takewhile(
                lambda argument: not argument.startswith("-"), _build_command(arguments)
            ),
        ]
    )


def _log_command(arguments: tuple[str, ...], prefix: str = "$ ") -> None:
    terminal.log(prefix + shlex.join(["az", *_build_command(arguments)]))


def _parse_json(arguments: tuple[str, ...], output: str | None) -> Any:
    if output is None:
        return None
    try:
        return json.loads(output)
    except ValueError:
        raise UsageError(
            f"`{_command_name(arguments)}` did not return JSON, so the state is not known: "
            f"{output.strip()[:200]!r}. `az upgrade` may help, and `{extension.ADD}`."
        ) from None
