"""The operator's notes on a real Postgres that is stopped and started while runs go on, and on a SQLite file."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from scripts.postgres import PostgresServer
from sqlalchemy import text
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder, stamp

from autopack.registry.engine import open_engine, open_reader
from autopack.registry.urls import DatabaseUrl, check_database_url, sqlite_url
from autopack_operator.adapters.registry import history as module
from autopack_operator.adapters.registry.history import RegistryHistory
from autopack_operator.adapters.registry.opening import open_history
from autopack_operator.domain.views import RunView
from autopack_operator.settings import RegistrySettings

LIFE = ("Preparing", "Running", "Finishing", "Succeeded")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.5)


@asynccontextmanager
async def writing(url: DatabaseUrl, folder: Path) -> AsyncIterator[RegistryHistory]:
    history = open_history(RegistrySettings(url, folder, "lab"))
    task = asyncio.create_task(history.run())
    try:
        yield history
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await history.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


def step(run: int, place: int) -> RunView:
    """A run at that place of its life."""
    builder = RunBuilder(f"run-{run}").uid(f"uid-{run}").owner("RunBatch", "many", "b-1").attempt(1)
    builder.status(phase=LIFE[place], finishedAt=stamp(9) if place == 3 else None)
    builder._body["metadata"]["resourceVersion"] = str(1 + run * 10 + place)
    return builder.view()


def rows(url: DatabaseUrl, query: str) -> list[tuple[object, ...]]:
    engine = open_engine(url, wal=False)
    with engine.connect() as connection:
        done = connection.execute(text(query))
        found = [tuple(row) for row in done] if done.returns_rows else []
        connection.commit()
    engine.dispose()
    return found


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


async def test_an_outage_while_runs_go_on_loses_no_row_and_doubles_none(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    url = check_database_url(own_postgres.new_database())
    async with writing(url, tmp_path) as history:
        for place in range(4):
            if place == 1:
                await asyncio.to_thread(own_postgres.stop)
            for run in range(60):
                history.note(step(run, place))
                if run % 20 == 0:
                    await asyncio.sleep(0.2)
            if place == 2:
                await until(lambda: history.problem)
                await asyncio.to_thread(own_postgres.start)
        await until(lambda: history.problem is None and history.depth == 0)
        await until(lambda: len(history._written) == 60)
        history.note_all([step(run, 3) for run in range(60)])
    states = Counter(state for _, state in rows(url, "SELECT run_id, state FROM registry_runs"))
    assert states == {"Succeeded": 60}
    steps = Counter(rows(url, "SELECT run_id, state FROM registry_events"))
    assert len(steps) == 240
    assert set(steps.values()) == {1}


async def test_a_database_that_is_read_only_for_a_while_refuses_no_row_for_good(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = check_database_url(postgres.new_database())
    name = url.text.rpartition("/")[2]
    async with writing(url, tmp_path) as history:
        history.note(step(0, 0))
        await until(lambda: history._written)
        rows(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        rows(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()",
        )
        for run in range(3):
            history.note(step(run, 3))
        await until(lambda: history.problem)
        assert "read-only" in str(history.problem)
        server = check_database_url(postgres.url())
        rows(server, f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await until(lambda: history.problem is None)
    assert rows(url, "SELECT count(*) FROM registry_runs WHERE state = 'Succeeded'") == [(3,)]


async def test_rows_of_a_dropped_database_come_back_the_same(postgres: PostgresServer, tmp_path: Path) -> None:
    views = [step(run, 3) for run in range(20)] + [BatchBuilder("many").uid("b-1").status(phase="Running").view()]
    seen = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        url = check_database_url(postgres.new_database())
        async with writing(url, tmp_path / folder) as history:
            history.note_all(views)
            await until(lambda: len(history._written) == 21)
        tables = ("registry_runs", "registry_events", "registry_batches")
        seen.append([rows(url, f"SELECT * FROM {name} ORDER BY 1, 2, 3") for name in tables])  # noqa: S608
    assert seen[0] == seen[1]
    assert list(map(len, seen[0])) == [20, 20, 1]


async def test_a_file_is_readable_by_somebody_who_cannot_write_beside_it(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "registry.db")
    async with writing(url, tmp_path) as history:
        history.note(step(1, 1))
        await until(lambda: history._written)
        reader = open_reader(url)
        with reader.connect() as connection:
            assert connection.execute(text("SELECT run_id FROM registry_runs")).all() == [("run-1",)]
            with pytest.raises(Exception, match="readonly"):
                connection.execute(text("DELETE FROM registry_runs"))
        # What waits to be sent goes away after its rows are there.
        await until(lambda: {path.name for path in tmp_path.iterdir()} == {"registry.db", "registry.db-journal"})
        assert sizes(tmp_path)["registry.db-journal"] == 0


async def test_a_reader_of_postgres_cannot_write(postgres: PostgresServer, tmp_path: Path) -> None:
    url = check_database_url(postgres.new_database())
    async with writing(url, tmp_path) as history:
        history.note(step(1, 1))
        await until(lambda: history._written)
    reader = open_reader(url)
    with reader.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.execute(text("DELETE FROM registry_runs"))
    reader.dispose()
