"""Printing for a reader who may have gone away."""

from __future__ import annotations

import click


class OutputClosed(Exception):  # noqa: N818 - says a state
    """Nobody reads our standard output any more."""


def echo(text: str) -> None:
    """Print a line on stdout; raises OutputClosed when the reader has gone."""
    try:
        click.echo(text)
    except BrokenPipeError as error:
        raise OutputClosed from error
