"""Whose turn it is when a profile lets only so many runs be under way."""

from __future__ import annotations

import pytest
from tests.unit.autopack_operator.builders import RunBuilder, stamp

from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.turns import Waiter, next_turns, occupies, profile_of


def waiter(name: str, priority: int = 0, since: float = 0, wanted: int = 1) -> Waiter:
    return Waiter(Key(Kind.BATCH, "lab", name), priority, since, wanted)


def turns(places: int, *waiters: Waiter) -> str:
    return " ".join(key.name for key in next_turns(waiters, places))


def test_who_has_waited_longest_is_first() -> None:
    assert turns(1, waiter("young", since=5), waiter("old", since=3)) == "old"


def test_a_higher_priority_goes_before_a_longer_wait() -> None:
    assert turns(2, waiter("low", -1), waiter("high", 1, since=9), waiter("middle", 0)) == "high middle"


def test_equals_take_turns() -> None:
    assert turns(5, waiter("a", wanted=9), waiter("b", since=1, wanted=2)) == "a b a b a"


def test_a_lower_priority_gets_what_a_higher_one_does_not_want() -> None:
    assert turns(4, waiter("high", 1, wanted=1), waiter("low", wanted=9)) == "high low low low"


@pytest.mark.parametrize("places", [0, -3])
def test_without_a_free_place_it_is_nobodys_turn(places: int) -> None:
    assert turns(places, waiter("a")) == ""


def test_a_run_is_under_way_from_its_claim_to_its_end() -> None:
    assert not occupies(RunBuilder().view())
    assert occupies(RunBuilder().attempt().view())
    assert occupies(RunBuilder().running().view())
    assert not occupies(RunBuilder().running().status(phase="Succeeded").view())


@pytest.mark.parametrize(("reason", "expected"), [("Retrying", True), ("Suspended", False), ("QuotaReached", False)])
def test_between_attempts_a_run_keeps_its_place_unless_it_was_suspended(reason: str, expected: bool) -> None:
    run = RunBuilder().attempt().status(phase="Pending", reason=reason, nextAttemptAt=stamp())
    assert occupies(run.view()) is expected


def test_a_run_that_is_being_suspended_keeps_its_place_until_it_has_stopped() -> None:
    assert occupies(RunBuilder().running().status(phase="Finishing", reason="Suspended").view())


@pytest.mark.parametrize(
    ("spec", "name"), [({}, "default"), ({"profileRef": {"name": "gpu"}}, "gpu"), ({"profileRef": None}, "default")]
)
def test_the_profile_of_a_stored_spec(spec: dict[str, object], name: str) -> None:
    assert profile_of(spec) == name
