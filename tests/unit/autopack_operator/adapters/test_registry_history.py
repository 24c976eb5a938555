"""Notes for the registry beside a database that is away, comes back empty, or refuses one row."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder

from autopack.registry.events import BatchEvent, RunEvent
from autopack.registry.failures import DatabaseUnreachable, RowRefused
from autopack.registry.spill import Spill
from autopack_operator.adapters.registry import history as module
from autopack_operator.adapters.registry.history import RegistryHistory
from autopack_operator.domain.views import RunView


class Database:
    """A Recorder with switches. The real ones are under tests/local."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, int | None]] = {}
        self.writes = 0
        self.known: dict[str, int] = {}
        self.is_away = self.is_read_only = self.has_no_tables = False
        self.refuses = ""
        self.gate = threading.Event()
        self.gate.set()

    def record(self, events: Iterable[RunEvent], batches: Iterable[BatchEvent] = ()) -> None:
        self.gate.wait(10)
        found = list(events)
        if self.is_away or self.is_read_only or self.has_no_tables:
            raise DatabaseUnreachable("away", "start it")
        if any(event.facts.run_id == self.refuses for event in found):
            raise RowRefused("too long")
        self.writes += 1
        self.rows |= {event.facts.run_id: (str(event.facts.state), event.version) for event in found}
        self.rows |= {event.facts.batch_id: (event.facts.state, event.version) for event in batches}

    def versions(self) -> dict[str, int]:
        if self.is_away or self.has_no_tables:
            raise DatabaseUnreachable("away", "start it")
        return self.known

    def upgrade(self) -> bool:
        if self.is_away:
            raise DatabaseUnreachable("away", "start it")
        made, self.has_no_tables = self.has_no_tables, False
        return made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE", "LONGEST_PAUSE", "GATHER_SECONDS", "HANGS_SECONDS"):
        monkeypatch.setattr(module, name, 0.005)


@pytest.fixture
def database() -> Database:
    return Database()


def history_of(database: Database, folder: Path) -> RegistryHistory:
    return RegistryHistory(database, Spill(folder / "waiting.jsonl"), "lab")


@asynccontextmanager
async def running(history: RegistryHistory) -> AsyncIterator[RegistryHistory]:
    task = asyncio.create_task(history.run())
    try:
        yield history
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.002)


def run(name: str, version: int = 1, phase: str = "Running") -> RunView:
    builder = RunBuilder(name).uid(f"uid-{name}").status(phase=phase, attempt=1)
    builder._body["metadata"]["resourceVersion"] = str(version)
    return builder.view()


async def test_notes_of_runs_and_batches_arrive(database: Database, tmp_path: Path) -> None:
    async with running(history_of(database, tmp_path)) as history:
        history.note(run("one"))
        history.note(BatchBuilder("many").status(phase="Running").view())
        await until(lambda: len(database.rows) == 2)
    assert database.rows == {"one": ("Running", 1), "many": ("Running", 1)}


async def test_noting_never_waits_for_a_database_that_hangs(database: Database, tmp_path: Path) -> None:
    database.gate.clear()
    async with running(history_of(database, tmp_path)) as history:
        for number in range(100):
            history.note(run(f"r{number}"))
            await asyncio.sleep(0)
        assert database.rows == {}
        database.gate.set()
        await until(lambda: len(database.rows) == 100)


async def test_nothing_is_lost_while_the_database_is_away(database: Database, tmp_path: Path) -> None:
    database.is_away = True
    async with running(history_of(database, tmp_path)) as history:
        history.note(run("one", 1))
        await until(lambda: history.problem)
        history.note(run("one", 2, "Succeeded"))
        history.note(run("two"))
        await until(lambda: history.depth == 0)
        database.is_away = False
        await until(lambda: history.problem is None)
    assert database.rows == {"one": ("Succeeded", 2), "two": ("Running", 1)}
    assert not Spill(tmp_path / "waiting.jsonl").waits()


async def test_what_waits_on_disk_survives_a_crash_of_the_operator(database: Database, tmp_path: Path) -> None:
    database.is_away = True
    async with running(history_of(database, tmp_path)) as history:
        history.note(run("gone"))
        await until(Spill(tmp_path / "waiting.jsonl").waits)
    database.is_away = False
    async with running(history_of(database, tmp_path)):
        await until(lambda: database.rows)
    assert database.rows == {"gone": ("Running", 1)}


async def test_a_database_that_takes_no_row_for_a_while_gets_them_all_later(database: Database, tmp_path: Path) -> None:
    database.is_read_only = True
    async with running(history_of(database, tmp_path)) as history:
        history.note(run("one"))
        history.note(run("two"))
        await until(lambda: history.problem)
        database.is_read_only = False
        await until(lambda: history.problem is None)
    assert set(database.rows) == {"one", "two"}


async def test_what_comes_between_two_attempts_is_on_disk_at_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 3600)
    # A slow thread is no hanging database: it would have the first note on disk twice, which is harmless.
    monkeypatch.setattr(module, "HANGS_SECONDS", 3600)
    database.is_away = True
    spill = Spill(tmp_path / "waiting.jsonl")
    async with running(history_of(database, tmp_path)) as history:
        history.note(run("one"))
        await until(lambda: history.problem)
        history.note(run("two"))
        await until(lambda: names(spill) == ["one", "two"])
        assert history.depth == 0


async def test_what_a_hanging_database_was_given_and_what_comes_meanwhile_is_on_disk(
    database: Database, tmp_path: Path
) -> None:
    database.gate.clear()
    spill = Spill(tmp_path / "waiting.jsonl")
    async with running(history_of(database, tmp_path)) as history:
        history.note(run("one"))
        await until(lambda: names(spill) == ["one"])
        history.note(run("two"))
        await until(lambda: names(spill) == ["one", "two"])
        database.gate.set()
        await until(lambda: len(database.rows) == 2 and not spill.waits())


def names(spill: Spill) -> list[str]:
    return [event.facts.run_id for chunk in spill.chunks(10) for event in chunk if isinstance(event, RunEvent)]


async def test_without_a_disk_notes_wait_in_memory(database: Database, tmp_path: Path) -> None:
    database.is_away = True
    async with running(history_of(database, tmp_path / "absent")) as history:
        history.note(run("one"))
        await until(lambda: history.problem and history.depth)
        database.is_away = False
        await until(lambda: database.rows)


async def test_one_poisoned_row_is_left_out_and_the_others_are_written(database: Database, tmp_path: Path) -> None:
    database.refuses = "bad"
    async with running(history_of(database, tmp_path)) as history:
        for name in ("a", "b", "bad", "c", "d"):
            history.note(run(name))
        await until(lambda: len(database.rows) == 4)
        assert history.problem is None
    assert set(database.rows) == {"a", "b", "c", "d"}


async def test_a_resync_writes_only_what_has_changed(database: Database, tmp_path: Path) -> None:
    async with running(history_of(database, tmp_path)) as history:
        history.note_all([run("one"), run("two")])
        await until(lambda: len(history._written) == 2)
        writes = database.writes
        history.note_all([run("one"), run("two")])
        assert history.depth == 0
        history.note_all([run("one"), run("two", 2, "Failed")])
        await until(lambda: database.writes > writes)
    assert database.rows["two"] == ("Failed", 2)


async def test_a_database_that_lost_its_tables_is_filled_by_the_next_resync(database: Database, tmp_path: Path) -> None:
    async with running(history_of(database, tmp_path)) as history:
        history.note_all([run("one")])
        await until(lambda: history._written)
        database.rows.clear()
        database.has_no_tables = True
        history.note(run("two"))
        await until(lambda: "uid-one" not in history._written)
        history.note_all([run("one"), run("two")])
        await until(lambda: len(database.rows) == 2)


async def test_closing_puts_on_disk_what_the_database_does_not_take(database: Database, tmp_path: Path) -> None:
    database.is_away = True
    history = history_of(database, tmp_path)
    history.note(run("one"))
    await history.close()
    assert Spill(tmp_path / "waiting.jsonl").waits()


async def test_tables_are_made_at_the_start_also_with_nothing_to_write(database: Database, tmp_path: Path) -> None:
    database.has_no_tables = True
    async with running(history_of(database, tmp_path)):
        await until(lambda: not database.has_no_tables)


async def test_what_an_earlier_process_wrote_is_not_written_again(database: Database, tmp_path: Path) -> None:
    database.known = {"uid-old": 1, "uid-changed": 1}
    history = history_of(database, tmp_path)
    await history.recall()
    assert [history.wants(run(name, version)) for name, version in (("old", 1), ("changed", 2), ("new", 1))] == [
        False,
        True,
        True,
    ]
    async with running(history):
        history.note_all([run("old"), run("changed", 2), run("new")])
        await until(lambda: len(database.rows) == 2)
    assert set(database.rows) == {"changed", "new"}


async def test_a_database_that_cannot_be_asked_what_it_has_gets_everything(database: Database, tmp_path: Path) -> None:
    database.is_away = True
    history = history_of(database, tmp_path)
    await history.recall()
    assert history.wants(run("one"))
