"""What a process has learnt: about one attempt of one run, and no longer than it is true."""

from __future__ import annotations

from tests.unit.autopack_operator.builders import APPROVED, NAMESPACE, committed, prepared

from autopack_operator.app.run_facts import FactBook, RunFacts
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.views import LeaseConflict, VolumeFailure

KEY = Key(Kind.RUN, NAMESPACE, "one")


def about_the_first_attempt() -> RunFacts:
    return RunFacts(1, APPROVED, prepared(1), 1, pod_seen=True, committed=committed(), lease_released=True)


def test_facts_of_another_attempt_are_dropped_but_the_anchor_stays_approved() -> None:
    facts = about_the_first_attempt()
    facts.turn_to(2)
    assert facts == RunFacts(2, APPROVED)


def test_facts_of_the_same_attempt_stay() -> None:
    facts = about_the_first_attempt()
    facts.turn_to(1)
    assert facts == about_the_first_attempt()


def test_answers_that_may_change_are_asked_for_again() -> None:
    facts = RunFacts(
        1,
        prepared=VolumeFailure("Busy", "", transient=True),
        lease=LeaseConflict("run-1", "2.a1"),
        profile_absent=True,
        pod_absent=True,
        committed="pending",
    )
    facts.forget_answers_that_age()
    assert facts == RunFacts(1)


def test_answers_that_are_pinned_stay() -> None:
    facts = about_the_first_attempt()
    facts.forget_answers_that_age()
    assert facts == about_the_first_attempt()


def test_a_run_made_anew_under_its_old_name_starts_without_facts() -> None:
    book = FactBook()
    book.of(KEY, "old").lease = 1
    assert book.of(KEY, "new").lease is None


def test_a_known_run_keeps_its_facts_until_they_are_forgotten() -> None:
    book = FactBook()
    facts = book.of(KEY, "same")
    assert book.of(KEY, "same") is facts
    book.forget(KEY)
    assert book.of(KEY, "same") is not facts
