"""What of a wish every host is asked in the same way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autopack.errors import printable

from .port import PullRequestWish

_MAX_TITLE = 240
_MAX_BODY = 65_000
"""GitHub takes 65,536 characters. The others take more, and nobody reads it."""
_TAIL = 1_000


def title_of(wish: PullRequestWish) -> str:
    """Return the title as one line that every host takes."""
    return " ".join(wish.title.split())[:_MAX_TITLE]


def body_of(wish: PullRequestWish) -> str:
    """Return the body, its middle left out where it is too long: the run's marker is at its start or its end."""
    if len(wish.body) <= _MAX_BODY:
        return wish.body
    cut = "\n\n(too long for a pull request: cut here)\n\n"
    return wish.body[: _MAX_BODY - _TAIL - len(cut)] + cut + wish.body[-_TAIL:]


def account(reviewer: str) -> str:
    """Return the account that is meant, which people write with an `@`."""
    return reviewer.strip().removeprefix("@")


def not_done(parts: Iterable[str]) -> str:
    """Say what of a wish was not done."""
    return "; ".join(printable(part, 300) for part in parts if part)


def missing(wished: Sequence[str], there: Iterable[str]) -> list[str]:
    """Return what was wished and is not there, whatever its case."""
    have = {name.casefold() for name in there}
    return [name for name in wished if name.casefold() not in have]
