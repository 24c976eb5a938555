"""The one error that ends a command: its text is the whole message a person sees."""

from __future__ import annotations


class Failure(Exception):  # noqa: N818 - reads as what it is at every raise
    """What went wrong and what to install, stop or use instead; one line. Ends the command with exit code 1."""


class UsageError(Failure):
    """The caller asked for something that does not exist. Ends the command with exit code 2."""
