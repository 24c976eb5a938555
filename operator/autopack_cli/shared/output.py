"""Printing for a reader who may have gone away."""

from __future__ import annotations

import click


class OutputClosed(Exception):  # noqa: N818 - says a state
    """Nobody reads our standard output any more."""


def echo(said: str | bytes, *, err: bool = False) -> None:
    """Print a line of text, or bytes as they are, on stdout or stderr; raises OutputClosed when the reader is gone."""
    try:
        click.echo(said, nl=isinstance(said, str), err=err)
    except BrokenPipeError as error:
        raise OutputClosed from error
