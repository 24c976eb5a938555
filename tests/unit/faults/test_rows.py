"""The judge of the registry's rows is silent about good ones, and names what is lost, doubled, outdated or made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.faults.records import UID, good, run, seen

from faults.oracles import judge
from faults.rows import Rows
from faults.witness import Seen

JsonDict = dict[str, Any]
BATCH = "22222222-2222-2222-2222-222222222222"


def event(attempt: int, state: str, reason: str | None = None) -> JsonDict:
    return {"scope": UID, "attempt": attempt, "state": state, "reason": reason}


def good_rows() -> Rows:
    newest = event(1, "Succeeded") | {"exit_code": None, "head_sha": None, "manifest_sha256": "abc"}
    batch = {"scope": BATCH, "state": "Succeeded", "reason": None, "total": 1, "succeeded": 1, "failed": 0}
    return Rows([newest], [event(1, "Preparing"), event(1, "Succeeded")], [batch])


def history() -> list[Seen]:
    status = {"phase": "Succeeded", "total": 1, "succeeded": 1, "failed": 0}
    batch = {"kind": "RunBatch", "metadata": {"name": "t1", "uid": BATCH}, "status": status}
    return [*good().history, seen(4, batch)]


def verdicts(rows: Rows, told: list[Seen]) -> list[str]:
    record = replace(good(), history=told)
    record.evidence.rows = rows
    return [text for text in judge(record, record.final, 2) if text.startswith("rows_say_what_happened")]


def a_run_without_a_row(rows: Rows) -> None:
    rows.runs.clear()


def a_run_with_two_rows(rows: Rows) -> None:
    rows.runs *= 2


def an_outdated_row(rows: Rows) -> None:
    rows.runs[0]["state"] = "Running"


def another_manifest(rows: Rows) -> None:
    rows.runs[0]["manifest_sha256"] = "def"


def a_step_lost(rows: Rows) -> None:
    del rows.events[0]


def a_step_doubled(rows: Rows) -> None:
    rows.events.append(event(1, "Succeeded"))


def a_step_made_up(rows: Rows) -> None:
    rows.events.append(event(2, "Running"))


def a_batch_without_a_row(rows: Rows) -> None:
    rows.batches.clear()


def a_batch_miscounted(rows: Rows) -> None:
    rows.batches[0]["succeeded"] = 2


PLANTED: list[tuple[Callable[[Rows], None], str]] = [
    (a_run_without_a_row, "t1 has 0 rows, not one"),
    (a_run_with_two_rows, "t1 has 2 rows, not one"),
    (an_outdated_row, "t1: state is 'Running', the status says 'Succeeded'"),
    (another_manifest, "t1: manifest_sha256 is 'def'"),
    (a_step_lost, "(1, 'Preparing', '') is lost"),
    (a_step_doubled, "(1, 'Succeeded', '') is there 2 times, it was 1 times"),
    (a_step_made_up, "(2, 'Running', '') never was"),
    (a_batch_without_a_row, "t1 has 0 rows, not one"),
    (a_batch_miscounted, "t1: succeeded is 2, the status says 1"),
]


def test_good_rows_are_found_good() -> None:
    assert verdicts(good_rows(), history()) == []


@pytest.mark.parametrize(("plant", "says"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_the_planted_bug_is_found(plant: Callable[[Rows], None], says: str) -> None:
    rows = good_rows()
    plant(rows)
    [wrong] = verdicts(rows, history())
    assert says in wrong


def test_a_run_that_was_seen_before_it_had_a_status_may_have_a_row_of_that() -> None:
    rows = good_rows()
    rows.events.append(event(0, "Pending"))
    assert verdicts(rows, history()) == []


def test_what_was_deleted_is_not_asked_for() -> None:
    gone = seen(5, run("Succeeded"), "DELETED")
    assert verdicts(replace(good_rows(), runs=[]), [*history(), gone]) == []


def test_without_a_database_nothing_is_asked_for() -> None:
    record = good()
    assert record.evidence.rows is None
    assert judge(record, record.final, 2) == []
