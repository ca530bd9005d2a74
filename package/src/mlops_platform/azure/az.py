"""Runs `az`: its extension `ml`, and for scale rules `az monitor`. No other module does.

Each command is shown before it runs. What passes by itself (throttling, time-outs, another
operation under way) is tried again; nothing else is. A change that was cut off may have taken
effect all the same, so it is never just sent again: `ensure` looks at the state first, and
believes the state afterwards, not the exit code.
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

from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.settings import Cloud

ATTEMPTS = 6
PATIENCE = 180  # looks at a state that is still changing: an hour with the usual pause
LONGEST = 2 * 60 * 60  # seconds that one command may take; a deployment may take one hour
ABSENT = 3  # az's exit code where a `show` finds nothing
PASSING = re.compile(
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
CHANGING = {"creating", "updating", "deleting", "scaling"}
Found = TypeVar("Found")


class Busy(Exception):  # noqa: N818  a state of the service, not an error
    """`az` failed for a reason that passes by itself."""


class Failed(UsageError):  # noqa: N818  an answer, not an error of ours
    """`az` ran and said no."""


class Unknown(UsageError):  # noqa: N818
    """`az` could not say, however often it was asked."""


class Az:
    """The commands of one environment."""

    def __init__(self, cloud: Cloud, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.group = ["--resource-group", cloud.resource_group]
        self.workspace = [*self.group, "--workspace-name", cloud.workspace]
        self.registry = ["--registry-name", cloud.registry]

    def read(self, *words: str) -> Any:
        """What a command answers, from JSON; None where there is no such thing.

        `WORDS` are those after `az ml`; those that begin with `monitor` go to `az` itself.

        Raises:
            UsageError: the state cannot be read. That is never taken for a yes or a no.
        """
        return _parsed(words, self._patiently(words))

    def fetch(self, *words: str) -> None:
        """Run a command that changes nothing in Azure and writes files here.

        Raises:
            UsageError: it failed; what it wrote may be half.
        """
        self._patiently(words)

    def settled(self, read: Callable[[], Found], state: Callable[[Found], str]) -> Found:
        """What `read` finds once its state (`Creating`, `Updating`, ...) no longer changes."""
        for _ in range(PATIENCE):
            found = read()
            if not changing(state(found)):
                return found
            pause(1)
        raise Unknown(f"still {word(state(found))} after {PATIENCE} looks. Try again later.")

    def ensure(self, what: str, holds: Callable[[], bool], *words: str) -> None:
        """Run a command, as `read` takes it, unless `holds`; `holds` must be true afterwards.

        A dry run only shows the command.

        Raises:
            UsageError: the change was refused, or Azure does not show it.
        """
        if holds():
            return
        if self.dry_run:
            _show(words, "would run: ")
            return
        problem: str | None = "not tried"
        for attempt in range(1, ATTEMPTS + 1):
            if problem:
                try:
                    self._run(words)
                    problem = None
                except Busy as busy:
                    problem = str(busy)
                    pause(attempt)
            else:
                pause(attempt)
            if holds():
                return
        raise UsageError(
            f"{what}: Azure does not show it after {ATTEMPTS} looks. `az` said: "
            f"{problem or 'done'}\nRun the same command again; it goes on from the state it finds."
        )

    def _patiently(self, words: tuple[str, ...]) -> str | None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._run(words)
            except Busy as busy:
                if attempt == ATTEMPTS:
                    raise Unknown(
                        f"`{_called(words)}` failed {ATTEMPTS} times, so the state is "
                        f"not known and nothing more is done: {busy}\nTry again later."
                    ) from None
                pause(attempt)
        raise AssertionError

    def _run(self, words: tuple[str, ...]) -> str | None:
        """The output of one command; None where it found nothing.

        Raises:
            Busy: for a reason that passes by itself.
            UsageError: for another one.
        """
        az = shutil.which("az")
        if az is None:
            raise UsageError(
                "the command `az` is not on this machine. Install the Azure CLI, then run "
                "`az extension add --name ml` and `az login`."
            )
        _show(words)
        try:
            done = subprocess.run(
                [az, *_command(words)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Busy(f"no answer within {LONGEST} s") from None
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        if done.returncode == ABSENT and _called(words).endswith(" show"):
            return None
        _refuse(words, said)
        raise Failed(f"`{_called(words)}` failed: {said}")


def sets(*pairs: str) -> tuple[str, ...]:
    """`--set KEY=VALUE ...`, and nothing where there are none."""
    return ("--set", *pairs) if pairs else ()


def word(state: str) -> str:
    """A state in one spelling: `Succeeded` and `DeploymentProvisioningState.SUCCEEDED` alike."""
    return state.rpartition(".")[2].lower()


def changing(state: str) -> bool:
    """Will this state of an endpoint or a deployment end by itself?"""
    return word(state) in CHANGING


def pause(times: int) -> None:
    """Wait before another look: `times` the seconds in MLOPS_AZURE_PAUSE, 20 if it is not set."""
    given = os.environ.get("MLOPS_AZURE_PAUSE", "20")
    try:
        seconds = float(given)
    except ValueError:
        raise UsageError(f"MLOPS_AZURE_PAUSE: {given!r} is no number of seconds.") from None
    time.sleep(max(0.0, seconds) * times)


def _refuse(words: tuple[str, ...], said: str) -> None:
    """Raise for what has a name; the order matters, as a refusal may speak of time-outs, too."""
    if NO_EXTENSION.search(said):
        raise UsageError("`az` has no extension `ml`. Run `az extension add --name ml`.")
    if LOGGED_OUT.search(said):
        raise UsageError(f"`az` is not logged in. Run `az login`. It said: {said}")
    if DENIED.search(said):
        raise UsageError(
            f"`{_called(words)}` was not allowed to: {said}\nAsk for the role, or "
            "choose the right subscription with `az account set --subscription NAME`."
        )
    if PASSING.search(said):
        raise Busy(said)


def _command(words: tuple[str, ...]) -> list[str]:
    extension = [] if words[0] == "monitor" else ["ml"]
    return [*extension, *words, "--only-show-errors", "--output", "json"]


def _called(words: tuple[str, ...]) -> str:
    """The command without its arguments."""
    return " ".join(
        ["az", *itertools.takewhile(lambda word: not word.startswith("-"), _command(words))]
    )


def _show(words: tuple[str, ...], before: str = "$ ") -> None:
    terminal.say(before + shlex.join(["az", *_command(words)]))


def _parsed(words: tuple[str, ...], said: str | None) -> Any:
    if said is None:
        return None
    try:
        return json.loads(said)
    except ValueError:
        raise UsageError(
            f"`{_called(words)}` did not answer in JSON, so the state is not known: "
            f"{said.strip()[:200]!r}. `az upgrade` and `az extension update --name ml` may help."
        ) from None
