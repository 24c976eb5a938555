"""What a process has learnt: about one attempt of one run, and no longer than it is true."""

from __future__ import annotations

from tests.unit.autopack_operator.builders import APPROVED, NAMESPACE, committed, prepared

from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.views import LeaseConflict, VolumeFailure

KEY = Key(Kind.RUN, NAMESPACE, "one")


def about_the_first_attempt() -> RunMemory:
    return RunMemory(1, APPROVED, prepared(1), 1, pod_uid="pod-1", committed=committed(), lease_released=True)


def test_memory_of_another_attempt_is_dropped_but_the_anchor_stays_approved() -> None:
    memory = about_the_first_attempt()
    memory.forget_other_attempts(2)
    assert memory == RunMemory(2, APPROVED)


def test_memory_of_the_same_attempt_stays() -> None:
    memory = about_the_first_attempt()
    memory.forget_other_attempts(1)
    assert memory == about_the_first_attempt()


def test_answers_that_may_change_are_asked_for_again() -> None:
    memory = RunMemory(
        1,
        prepared=VolumeFailure("Busy", "", transient=True),
        lease=LeaseConflict("run-1", "2.a1"),
        profile_absent=True,
        pod_absent=True,
        committed="pending",
    )
    memory.forget_answers_that_age(0.0)
    assert memory == RunMemory(1)


def test_answers_that_are_pinned_stay() -> None:
    memory = about_the_first_attempt()
    memory.forget_answers_that_age(0.0)
    assert memory == about_the_first_attempt()
