"""What a disturbed watch lets through."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from faults.injector import Injector
from faults.plan import Fault, Kind, Match
from faults.watches import DisturbedWatch, WatchCutError

SECOND = Match(verb="MODIFIED", resource="pods", name="~-a1", nth=1)


def event(kind: str, version: int) -> bytes:
    return (
        json.dumps({"type": kind, "object": {"metadata": {"name": "t1-a1", "resourceVersion": version}}}).encode()
        + b"\n"
    )


EVENTS = [event("ADDED", 1), event("MODIFIED", 2), event("MODIFIED", 3)]


async def stream() -> AsyncIterator[bytes]:
    for line in EVENTS:
        yield line


async def told(kind: Kind) -> tuple[list[bytes], WatchCutError | None]:
    injector = Injector(trial="t1", fault=Fault(kind=kind, match=SECOND, seconds=0.0))
    heard: list[bytes] = []
    try:
        async for line in DisturbedWatch("pods", lambda: injector).pass_on(stream()):
            heard.append(line)  # noqa: PERF401 - what came before the cut counts
    except WatchCutError as cut:
        return heard, cut
    return heard, None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.DELAY, [1, 2, 3]),
        (Kind.EVENT_HOLD, [1, 2, 3]),
        (Kind.EVENT_DROP, [1, 3]),
        (Kind.EVENT_DUPLICATE, [1, 2, 2, 3]),
        (Kind.EVENT_REPLAY, [1, 2, 1, 2, 3]),
    ],
)
async def test_what_goes_on(kind: Kind, expected: list[int]) -> None:
    heard, cut = await told(kind)
    assert cut is None
    assert [json.loads(line)["object"]["metadata"]["resourceVersion"] for line in heard] == expected


async def test_an_error_says_that_the_version_is_too_old() -> None:
    heard, cut = await told(Kind.EVENT_ERROR)
    assert heard == EVENTS[:1]
    assert cut is not None
    assert json.loads(cut.last)["object"]["code"] == 410


async def test_a_truncated_event_is_no_json() -> None:
    _, cut = await told(Kind.EVENT_TRUNCATE)
    assert cut is not None
    with pytest.raises(ValueError, match=r"(?i)unterminated|expecting"):
        json.loads(cut.last)


async def test_silence_ends_with_a_cut() -> None:
    heard, cut = await told(Kind.EVENT_SILENCE)
    assert (heard, cut.last if cut is not None else None) == (EVENTS[:1], b"")
