"""What the governor gets out of a rate limit: played on a clock of its own."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

import pytest
from tests.doubles.models.troubles import TokenBucket

from autopack_gateway.service.governor.pace import Pace
from autopack_gateway.service.governor.window import Window

LATENCY = 0.2


def played(per_second: float, burst: int, seconds: float, wait: Callable[[float], float]) -> tuple[float, int]:
    """Keep 30 runs asking for so long; return the share of the bucket that was used, and how many were refused."""
    bucket, window, pace = TokenBucket(per_second * 60, burst, 0.0), Window(64), Pace()
    under_way: list[tuple[float, float, float]] = []
    now, taken, refused = 0.0, 0, 0
    while now < seconds:
        while len(under_way) < min(window.width, 30) and max(window.paused_until, pace.ready_at()) <= now:
            pace.sent(now)
            left = bucket.take(now)
            heapq.heappush(under_way, (now + (0.01 if left else LATENCY), now, left))
        steps = [max(window.paused_until, pace.ready_at())] if len(under_way) < min(window.width, 30) else []
        now = max(now, min([*steps, *([under_way[0][0]] if under_way else [])]))
        while under_way and under_way[0][0] <= now:
            _, sent, left = heapq.heappop(under_way)
            if left:
                refused += 1
                if window.refused(sent, now, wait(left)):
                    pace.refused(sent)
            else:
                taken += 1
                window.answered()
    return taken / (burst + per_second * seconds), refused


def in_whole_seconds(left: float) -> float:
    return float(math.ceil(left))


@pytest.mark.parametrize(
    ("per_second", "burst", "least"), [(10, 10, 0.95), (0.5, 5, 0.95), (20, 60, 0.95), (1, 1, 0.8)]
)
def test_most_of_a_rate_limit_is_used(per_second: float, burst: int, least: float) -> None:
    """A bucket of one request runs over in every pause, which is a whole second: nothing can be made of that."""
    share, refused = played(per_second, burst, 200, in_whole_seconds)
    assert share >= least
    assert refused > 0


def test_requests_that_were_under_way_together_are_one_sign() -> None:
    window, pace = Window(64), Pace()
    for number in range(8):
        pace.sent(number * 0.01)
    assert [window.refused(number * 0.01, 1.0, 2.0) for number in range(8)] == [True] + [False] * 7
    assert window.width == 11
    assert window.paused_until == 3.0
    assert pace.ready_at() == float("-inf")
