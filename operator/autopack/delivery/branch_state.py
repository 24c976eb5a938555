"""What is to be done with a branch, by what it is at. Pure."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from autopack.errors import printable

from .refusal import Conflict


class Relation(Enum):
    """What the commit at the branch is to the one that shall be there."""

    OWN = auto()
    """A commit of this run, and an ancestor of it."""
    OTHER = auto()


class Push(NamedTuple):
    """Push, if the branch is still at `lease`; empty: if it is still not there."""

    lease: str


def next_step(branch: str, seen: str, wanted: str, expected: str, relation: Relation) -> Push | None:
    """Return what to do; None when it is there already. Conflict where the branch is not ours to move.

    `seen` is what the branch is at now, `expected` what was delivered before; empty for nothing.
    """
    if seen == wanted:
        return None
    if seen == expected:
        return Push(expected)
    if seen and relation is Relation.OWN:
        return Push(seen)
    name = printable(branch, 120)
    if not seen:
        raise Conflict(f"the branch '{name}' was delivered before, and somebody has deleted it")
    raise Conflict(f"the branch '{name}' is at {seen[:12]}, which this run has not delivered")
