"""What a row of the table of bad inputs is: the words of the project's list, what is done, and the answer wanted.

REFUSED: exit code 2, one line that says what is wrong, no traceback, no secret, nothing touched.
FAILS: that run fails with the reason, no harm done, and the other run of the batch goes on.
WORKS: it is no bad input after all, or it is kept apart or repaired: all runs succeed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, anchor

SECRET = "hunter2"


class Answer(Enum):
    """What becomes of the input."""

    REFUSED = "refused"
    FAILS = "fails"
    WORKS = "works"


REFUSED, FAILS, WORKS = Answer


@dataclass(frozen=True)
class Place:
    """Where a row may prepare what it needs: a repository, an anchor, a folder of runs that is not there yet."""

    scene: Scene
    request: pytest.FixtureRequest
    monkeypatch: pytest.MonkeyPatch


Given = Callable[[Place], Mapping[str, str] | None]
"""Prepares a row; may return values for the `{names}` in its arguments and environment."""


@dataclass(frozen=True)
class Row:
    """`item` is a phrase of the list. The arguments follow those of a good call of `supervise`, or stand alone.

    `within` is a command that the call is put into, `unread` gives it an output that nobody reads.
    """

    item: str
    answer: Answer
    says: str
    args: tuple[str, ...] = ()
    given: Given | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    sqlite: bool = True
    within: tuple[str, ...] = ()
    unread: bool = False
    check: Callable[[Place], None] | None = None


def anchor_of(raw: bytes | dict[str, object]) -> Given:
    """Return a preparation that puts this into the anchor's file."""

    def write(place: Place) -> None:
        place.scene.anchor.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())

    return write


def policy(**fields: object) -> dict[str, object]:
    """Return a good anchor with this as its parallelism_isolation."""
    return {**anchor(), "pivot_intentions": {"parallelism_isolation": fields}}


def path_in(place: Place, *parts: str) -> Path:
    """Return a path in the test's own folder."""
    return place.scene.root.joinpath(*parts)
