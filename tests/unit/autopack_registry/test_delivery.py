"""Delivery beside a database that is away, comes back, or refuses one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from autopack.phases import Phase
from autopack.registry.delivery import Delivery
from autopack.registry.events import RunEvent, RunRecord
from autopack.registry.failures import DatabaseUnreachable
from autopack.registry.outbox import Outbox


class Database:
    """A Recorder with a switch. Delivery to the real one is under tests/local."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []
        self.is_up = threading.Event()
        self.refuses = ""
        self.refusals = 0

    def record(self, events: Iterable[RunEvent]) -> None:
        found = list(events)
        if not self.is_up.is_set() or any(event.facts.run_id == self.refuses for event in found):
            self.refusals += 1
            raise DatabaseUnreachable("away", "start it")
        self.rows += [(event.facts.run_id, event.sequence) for event in found]

    def of_run(self, _name: str) -> Database:
        return self


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path, "db")


def add(outbox: Outbox, run_id: str) -> None:
    outbox.append(RunRecord(run_id, 1, Phase.RUNNING, "2026-01-06T00:00:00+00:00"))


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_earlier_starts_left_is_sent_first(outbox: Outbox, database: Database) -> None:
    add(outbox, "old")
    database.is_up.set()
    delivery = Delivery(outbox, database.of_run)
    delivery.start()
    assert delivery.close(5) == 0
    assert database.rows == [("old", 0)]


def test_rows_arrive_when_the_database_is_back(outbox: Outbox, database: Database) -> None:
    delivery = Delivery(outbox, database.of_run)
    delivery.start()
    add(outbox, "a")
    delivery.notify("a")
    wait_until(lambda: delivery.last_error)
    database.is_up.set()
    wait_until(lambda: database.rows)
    assert delivery.close(5) == 0
    assert delivery.last_error is None


def test_closing_does_not_wait_for_a_database_that_stays_away(outbox: Outbox, database: Database) -> None:
    delivery = Delivery(outbox, database.of_run)
    delivery.start()
    for run_id in "abc":
        add(outbox, run_id)
        delivery.notify(run_id)
    began = time.monotonic()
    assert delivery.close(0.5) == 3
    assert time.monotonic() - began < 20
    assert outbox.waiting("a") is not None


def test_one_run_that_is_refused_does_not_block_the_others(outbox: Outbox, database: Database) -> None:
    database.is_up.set()
    database.refuses = "a"
    for run_id in "abc":
        add(outbox, run_id)
    delivery = Delivery(outbox, database.of_run)
    delivery.start()
    # The first to be tried again is the one that was refused: by then the others are sent and noted as sent.
    wait_until(lambda: database.refusals > 1)
    assert sorted(run_id for run_id, _ in database.rows) == ["b", "c"]
    assert delivery.close(0) == 1


def test_a_run_that_belongs_to_no_database_keeps_its_rows(outbox: Outbox) -> None:
    add(outbox, "a")
    delivery = Delivery(outbox, lambda _name: None)
    delivery.start()
    assert delivery.close(5) == 0
    assert outbox.waiting("a") is not None
