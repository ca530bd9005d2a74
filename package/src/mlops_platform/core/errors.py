"""Exceptions that end a command with a message and an exit code."""

from __future__ import annotations


class UsageError(Exception):
    """A file, field, argument or service is wrong or unavailable. Exit code 2.

    The message names the file and field, the problem, and the next step.
    """


class GateError(Exception):
    """A gate failed on valid evidence. Exit code 1.

    The message names the gate, the value, the limit, and the next step.
    """
