"""Conditions."""

from __future__ import annotations

from tests.unit.autopack_operator.builders import NOW, later, stamp

from autopack_operator.domain.conditions import ConditionType, find, is_true, with_condition

KIND = ConditionType.LEASE_HELD
HELD = with_condition([], KIND, True, "Acquired", "by attempt 1", now=NOW, generation=1)


def test_a_new_condition_is_appended() -> None:
    both = with_condition(HELD, ConditionType.SUCCEEDED, False, "No", now=NOW)
    assert [condition.type for condition in both] == ["LeaseHeld", "Succeeded"]


def test_a_condition_keeps_its_place_and_its_time_while_its_status_stays() -> None:
    (again,) = with_condition(HELD, KIND, True, "Renewed", "by attempt 2", now=later(60), generation=2)
    assert (again.reason, again.message, again.observed_generation) == ("Renewed", "by attempt 2", 2)
    assert again.last_transition_time == stamp()


def test_a_condition_whose_status_changes_gets_the_time_of_the_change() -> None:
    (again,) = with_condition(HELD, KIND, False, "Released", now=later(60))
    assert (again.status, again.last_transition_time) == ("False", stamp(60))


def test_unknown_is_neither_true_nor_absent() -> None:
    conditions = with_condition([], KIND, None, "NotAsked", now=NOW)
    assert not is_true(conditions, KIND)
    found = find(conditions, KIND)
    assert found is not None
    assert found.status == "Unknown"


def test_an_absent_condition_is_not_true() -> None:
    assert not is_true([], KIND)
    assert is_true(HELD, KIND)


def test_texts_are_bounded_inert_and_never_empty_where_they_must_not_be() -> None:
    (condition,) = with_condition([], KIND, True, "", "\x1b[2J" + "x" * 5000, now=NOW)
    assert condition.reason == "Unknown"
    assert condition.message.startswith("\\x1b[2J")
    assert len(condition.message) == 1024
