"""Rows on disk: what a crash may tear, who may write, and what is sent where."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from autopack.phases import Phase
from autopack.registry.events import RunRecord, decode, encode
from autopack.registry.outbox import Outbox


def facts(state: Phase = Phase.RUNNING, run_id: str = "run-1", **more: object) -> RunRecord:
    return RunRecord(run_id, 1, state, "2026-01-06T00:00:00+00:00", **more)  # type: ignore[arg-type]


def states_waiting(outbox: Outbox, name: str = "run-1") -> list[str]:
    waiting = outbox.waiting(name)
    return [] if waiting is None else [event.facts.state for event in waiting.events]


def test_facts_survive_the_disk(tmp_path: Path) -> None:
    written = facts(message="naïve ✓", exit_code=0, branch="autopack/run-1")
    Outbox(tmp_path, "db").append(written)
    waiting = Outbox(tmp_path, "db").waiting("run-1")
    assert waiting is not None
    assert [event.facts for event in waiting.events] == [written]


def test_later_events_have_higher_sequences(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "db")
    sequences = [outbox.append(facts()).sequence for _ in range(5)]
    assert sequences == sorted(set(sequences))


def test_what_was_sent_does_not_wait_and_what_follows_does(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "db")
    outbox.append(facts())
    waiting = outbox.waiting("run-1")
    assert waiting is not None
    outbox.append(facts(Phase.SUCCEEDED))
    outbox.note_sent("run-1", waiting.end)
    assert states_waiting(Outbox(tmp_path, "db")) == ["Succeeded"]
    outbox.forget_sent()
    assert states_waiting(outbox) == ["Running", "Succeeded"]


def test_another_database_has_notes_of_its_own(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "one")
    outbox.append(facts())
    waiting = outbox.waiting("run-1")
    assert waiting is not None
    outbox.note_sent("run-1", waiting.end)
    assert outbox.waiting("run-1") is None
    assert states_waiting(Outbox(tmp_path, "two")) == ["Running"]


@pytest.mark.parametrize("kept", range(1, 40, 7))
def test_a_line_that_a_crash_tore_is_dropped_and_those_around_it_are_not(tmp_path: Path, kept: int) -> None:
    outbox = Outbox(tmp_path, "db")
    outbox.append(facts())
    with (outbox.folder / "run-1.jsonl").open("ab") as file:
        file.write(encode(facts(Phase.FAILED))[:kept])
    assert states_waiting(outbox) == ["Running"]
    outbox.append(facts(Phase.SUCCEEDED))
    assert states_waiting(outbox) == ["Running", "Succeeded"]


def test_a_damaged_line_does_not_hide_the_others(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "db")
    outbox.append(facts())
    with (outbox.folder / "run-1.jsonl").open("ab") as file:
        file.write(b'{"nonsense": 1}\n\xff\xfe\n')
    outbox.append(facts(Phase.SUCCEEDED))
    assert states_waiting(outbox) == ["Running", "Succeeded"]


def test_facts_of_a_newer_version_are_read_as_far_as_they_are_known() -> None:
    line = encode(facts()).replace(b"{", b'{"from_the_future": [1], ', 1)
    assert decode(line) == facts()


def test_all_processes_give_the_folder_one_name(tmp_path: Path) -> None:
    outboxes = [Outbox(tmp_path, "db") for _ in range(8)]
    names: list[str] = []
    threads = [threading.Thread(target=lambda one=one: names.append(one.scope)) for one in outboxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 1
    assert len(names) == 8
    assert [path.name for path in (tmp_path / ".registry").iterdir()] == ["scope"]


def test_the_last_facts_of_a_run_are_known_even_when_all_was_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "db")
    assert outbox.last("a/b") is None
    outbox.append(facts(run_id="a/b"))
    outbox.append(facts(Phase.FAILED, run_id="a/b"))
    found = outbox.last("a/b")
    assert found is not None
    assert found.state is Phase.FAILED
