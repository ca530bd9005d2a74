"""Exceptions that end a command with a message and an exit code."""

from __future__ import annotations

import traceback


class UsageError(Exception):
    """A file, field, argument or service is wrong or unavailable. Exit code 2.

    The message names the file and field, the problem, and the next step.
    """


class CodeError(UsageError):
    """The team's own code failed. Exit code 2.

    The message is one line; `details` is the whole traceback, or what a program printed.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self._output = output

    @property
    def details(self) -> str:
        """What the program printed, else the traceback of the error that caused this one."""
        return self._output or "".join(traceback.format_exception(self.__cause__))


class GateError(Exception):
    """A gate failed on valid evidence. Exit code 1.

    The message names the gate, the value, the limit, and the next step.
    """
