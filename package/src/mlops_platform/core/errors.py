"""The two ways in which a command ends other than well."""

from __future__ import annotations


class UsageError(Exception):
    """Something outside the code is wrong: a file, a field, an argument, a service.

    The message names where, what is wrong and what to do next. Exit code 2.
    """


class GateError(Exception):
    """A gate looked at sound evidence and said no. Exit code 1.

    The message says which gate, on what value and limit, and what to do next.
    """
