"""The file of rows that wait while the database is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack.phases import Phase
from autopack.registry.events import BatchEvent, BatchRecord, RunEvent, RunRecord
from autopack.registry.spill import Event, Spill, decode, encode

RUN = RunEvent("u-1", 5, RunRecord("one", 1, Phase.RUNNING, "2026-01-06T00:00:00+00:00", conditions=[{"type": "X"}]), 7)
BATCH = BatchEvent("b-1", 8, BatchRecord("many", "Running", "lab", "2026-01-06T00:00:00+00:00", total=3))


def everything(spill: Spill) -> list[Event]:
    return [event for chunk in spill.chunks(2) for event in chunk]


@pytest.mark.parametrize("event", [RUN, BATCH])
def test_what_is_kept_comes_back_as_it_was(event: Event) -> None:
    assert decode(encode(event)) == event


def test_it_is_read_in_order_and_cleared_when_it_has_arrived(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "waiting")
    assert not spill.waits()
    spill.add([RUN, BATCH])
    spill.add([BATCH])
    assert spill.waits()
    assert everything(Spill(tmp_path / "waiting")) == [RUN, BATCH, BATCH]
    assert everything(spill) == [RUN, BATCH, BATCH]
    spill.clear()
    assert not spill.path.exists()


def test_what_comes_while_it_is_read_is_kept(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "waiting")
    spill.add([RUN] * 3)
    reading = spill.chunks(2)
    assert next(reading) == [RUN, RUN]
    spill.add([BATCH])
    assert list(reading) == [[RUN]]
    spill.clear()
    assert everything(spill) == [BATCH]


def test_what_nobody_has_read_is_not_cleared(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "waiting")
    spill.add([RUN])
    spill.clear()
    assert everything(spill) == [RUN]


def test_a_line_that_a_crash_cut_spoils_no_other(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "waiting")
    spill.path.write_bytes(encode(RUN) + encode(BATCH)[:20])
    spill.add([BATCH])
    assert everything(spill) == [RUN, BATCH]


def test_a_full_file_says_so_and_stays_readable(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "waiting", limit=len(encode(RUN)) + 10)
    assert spill.add([RUN])
    assert not spill.add([BATCH])
    assert everything(spill) == [RUN]


@pytest.mark.parametrize("line", [b"", b"{}", b"[]\n", b'{"kind": "run", "facts": 3}\n', b"\xff\n"])
def test_a_damaged_line_is_left_out(line: bytes) -> None:
    assert decode(line) is None


def test_fields_of_a_newer_autopack_are_left_out() -> None:
    assert decode(encode(BATCH).replace(b'"facts":{', b'"facts":{"mood":"good",')) == BATCH
