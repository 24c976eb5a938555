"""The campaign's category `delivery`: a right publisher passes, and each planted bug is found by its oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.delivery.lane import DeliveryLane
from faults.delivery.plans import WORKLOADS, delivery_plans
from faults.plan import Fault, Kind, Match, Plan

STAND_IN = str(Path(__file__).with_name("stand_in.py"))
PUSH = Match(verb="post", resource="git-receive-pack", name="~")
OPEN = Match(verb="post", resource="pulls", name="~")


@pytest.fixture
def lane(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeliveryLane]:
    """A lane with a publisher that has the bug named by the test's parameter."""
    bug = getattr(request, "param", "")
    with DeliveryLane(tmp_path / "lane", (STAND_IN, *([bug] if bug else []))).open() as lane:
        yield lane


def plan(kind: Kind, match: Match, workload: str = "first", **more: float) -> Plan:
    return Plan(workload=workload, category="delivery", fault=Fault(kind=kind, match=match, **more))


def test_every_workload_is_right_without_a_fault(lane: DeliveryLane) -> None:
    lives = {}
    for workload in WORKLOADS:
        lives[workload], wrong = lane.record(workload)
        assert wrong == []
    assert PUSH in lives["first"]
    assert OPEN in lives["first"]
    assert OPEN not in lives["again"]
    assert {str(plan.fault.match) for plan in delivery_plans(lives)} >= {str(PUSH), str(OPEN)}


@pytest.mark.parametrize("kind", [Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.RESET_AFTER, Kind.TOKEN_EXPIRED])
def test_a_right_publisher_passes(lane: DeliveryLane, kind: Kind) -> None:
    for match in (PUSH, OPEN):
        verdict = lane.play(plan(kind, match, seconds=0.2))
        assert (verdict.fired, verdict.wrong) == (True, [])
    assert lane.arrived() == (2, 2)


@pytest.mark.parametrize("lane", ["force"], indirect=True)
def test_a_push_over_somebody_elses_is_found(lane: DeliveryLane) -> None:
    assert any(said.startswith("forced: ") for said in lane.play(plan(Kind.REMOTE_MOVED, PUSH)).wrong)


def test_what_somebody_else_pushed_is_no_fault_of_a_right_publisher(lane: DeliveryLane) -> None:
    for workload in ("first", "again"):
        assert lane.play(plan(Kind.REMOTE_MOVED, PUSH, workload)).wrong == []
    assert lane.arrived() == (0, 0)


@pytest.mark.parametrize("lane", ["half-done"], indirect=True)
def test_labels_that_are_missing_after_a_kill_are_found(lane: DeliveryLane) -> None:
    assert any("labels" in said for said in lane.play(plan(Kind.KILL_AFTER, OPEN)).wrong)


@pytest.mark.parametrize("lane", ["branch-alone"], indirect=True)
def test_a_pull_request_that_is_missing_is_found(lane: DeliveryLane) -> None:
    _, wrong = lane.record("first")
    assert any("no pull request" in said for said in wrong)
