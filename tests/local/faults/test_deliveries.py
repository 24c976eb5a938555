"""A few trials of the campaign's category `delivery` with the publisher itself: a process, real git, a played host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.delivery.lane import DeliveryLane
from faults.delivery.plans import WORKLOADS
from faults.plan import Fault, Kind, Match, Plan

PUSH = Match(verb="post", resource="git-receive-pack", name="~")
OPEN = Match(verb="post", resource="pulls", name="~")


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[DeliveryLane]:
    with DeliveryLane(tmp_path / "lane").open() as lane:
        yield lane


def test_every_workload_arrives(lane: DeliveryLane) -> None:
    assert [lane.record(workload)[1] for workload in WORKLOADS] == [[], [], []]
    assert lane.arrived() == (3, 3)


@pytest.mark.parametrize("match", [PUSH, OPEN], ids=["push", "open"])
def test_nothing_is_doubled_or_lost_by_a_publisher_that_is_killed(lane: DeliveryLane, match: Match) -> None:
    for kind in (Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.RESET_AFTER):
        verdict = lane.play(Plan(workload="first", category="delivery", fault=Fault(kind=kind, match=match)))
        assert (verdict.fired, verdict.wrong) == (True, [])
    assert lane.arrived() == (3, 3)
    assert lane.publisher.starts > 1


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_somebody_else_pushed_stays(lane: DeliveryLane, workload: str) -> None:
    verdict = lane.play(Plan(workload=workload, category="delivery", fault=Fault(kind=Kind.REMOTE_MOVED, match=PUSH)))
    assert (verdict.fired, verdict.wrong) == (True, [])


def test_a_token_that_expires_holds_a_delivery_up_until_it_is_renewed(lane: DeliveryLane) -> None:
    for match in (PUSH, OPEN):
        fault = Fault(kind=Kind.TOKEN_EXPIRED, match=match, seconds=1)
        verdict = lane.play(Plan(workload="first", category="delivery", fault=fault))
        assert (verdict.fired, verdict.wrong) == (True, [])
