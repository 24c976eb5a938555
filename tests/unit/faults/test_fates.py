"""What the arguments of a played command say about its end."""

from __future__ import annotations

import pytest

from faults.kubelet import OUT_OF_MEMORY, OVER_QUOTA, Ending, Fate


def fate(attempt: int, *args: str) -> Fate:
    containers = [{"name": "run", "args": ["play", *args]}]
    labels = {"autopack.dev/attempt": str(attempt)}
    return Fate.of({"metadata": {"labels": labels}, "spec": {"containers": containers}})


@pytest.mark.parametrize(
    ("attempt", "args", "ending"),
    [
        (1, (), Ending(0, "Completed")),
        (1, ("exit=3,0",), Ending(3)),
        (2, ("exit=3,0",), Ending(0, "Completed")),
        (3, ("exit=3,0",), Ending(0, "Completed")),
        (1, ("oom=1",), OUT_OF_MEMORY),
        (2, ("oom=1",), Ending(0, "Completed")),
        (1, ("fill",), OVER_QUOTA),
    ],
)
def test_how_it_ends(attempt: int, args: tuple[str, ...], ending: Ending) -> None:
    assert fate(attempt, *args).ending == ending


@pytest.mark.parametrize(("args", "seconds"), [((), 0.2), (("seconds=3",), 3.0), (("forever",), None)])
def test_when_it_ends(args: tuple[str, ...], seconds: float | None) -> None:
    assert fate(1, *args).seconds == seconds
