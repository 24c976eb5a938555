"""The registry on both databases: written twice, out of order, at the same time, and by an older or newer Autopack."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from scripts.postgres import PostgresServer
from sqlalchemy import text

from autopack.errors import InvalidInput
from autopack.phases import Phase
from autopack.registry.engine import open_engine
from autopack.registry.events import RunEvent, RunRecord, now
from autopack.registry.models import VERSION_TABLE, Base
from autopack.registry.schema import SchemaTooNew, head_revision, known_revisions
from autopack.registry.store import Registry
from autopack.registry.urls import DatabaseUrl, check_database_url, sqlite_url


@pytest.fixture(params=["postgres", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "registry.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return check_database_url(server.new_database())


@pytest.fixture
def registry(url: DatabaseUrl) -> Iterator[Registry]:
    registry = Registry(url)
    registry.upgrade()
    yield registry
    registry.close()


def event(sequence: int, state: Phase = Phase.RUNNING, run_id: str = "run-1", scope: str = "here") -> RunEvent:
    return RunEvent(scope, sequence, RunRecord(run_id, 1, state, now()))


def in_threads(count: int, work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(count) as threads:
        for done in [threads.submit(work, number) for number in range(count)]:
            done.result()


def test_unsaved_work_is_a_condition_of_the_run(registry: Registry) -> None:
    lost = {"path": "huge", "bytes": 1 << 40, "reason": "no room"}
    facts = RunRecord("run-1", 1, Phase.SUCCEEDED, now(), saved="partly", unsaved=(lost,))  # type: ignore[arg-type]
    registry.record([event(0), RunEvent("here", 120, facts)])
    (row,) = registry.runs()
    assert [(one["type"], one["status"], one["message"]) for one in row.conditions] == [
        ("WorkSaved", "Partly", "huge (1.0 TiB, no room)")
    ]


def test_sending_twice_and_out_of_order_gives_the_newest_row_once(registry: Registry) -> None:
    older, newer = event(0), event(120, Phase.SUCCEEDED)
    for batch in ([newer], [older, newer], [newer], [older]):
        registry.record(batch)
    assert [(row.run_id, row.sequence, row.state) for row in registry.runs()] == [("run-1", 120, "Succeeded")]


def test_equal_run_ids_of_two_folders_of_runs_are_kept_apart(registry: Registry) -> None:
    registry.record([event(0, scope="one"), event(0, scope="two")])
    assert {row.scope for row in registry.runs()} == {"one", "two"}


def test_many_writers_at_once_lose_no_row(registry: Registry, url: DatabaseUrl) -> None:
    def write(number: int) -> None:
        mine = Registry(url)
        events = [event(0, run_id=f"run-{number}-{index}") for index in range(10)] + [event(number, run_id="shared")]
        Random(number).shuffle(events)  # noqa: S311
        for one in events:
            mine.record([one])
        mine.record(events)
        mine.close()

    in_threads(8, write)
    rows = registry.runs()
    assert len(rows) == 81
    assert {row.run_id: row.sequence for row in rows}["shared"] == 7


def test_processes_that_upgrade_at_the_same_time_make_the_tables_once(url: DatabaseUrl) -> None:
    argv = [sys.executable, "-m", "autopack.cli", "registry", "upgrade", "--database-url", url.text]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(4)]
    said = [process.communicate(timeout=200)[0] for process in processes]
    assert sorted(said) == ["up to date\n"] * 3 + ["upgraded\n"]


def test_a_transaction_on_sqlite_is_a_writers_from_its_begin(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "x.db"))
    other = sqlite3.connect(tmp_path / "x.db", timeout=0, isolation_level=None)
    with engine.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
    engine.dispose()


def test_the_migrations_make_what_the_models_say(registry: Registry, url: DatabaseUrl) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_tables_of_a_newer_autopack_are_left_alone(registry: Registry, url: DatabaseUrl) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608
    engine.dispose()
    with pytest.raises(SchemaTooNew, match=r"version 9999, which is newer.*Upgrade Autopack"):
        registry.upgrade()


def test_a_table_of_the_users_own_program_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "shared-with-user.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (id TEXT)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('theirs')")
    connection.close()
    registry = Registry(sqlite_url(path))
    assert registry.upgrade()
    registry.close()


def test_a_wrong_password_is_said_without_being_shown(postgres: PostgresServer) -> None:
    registry = Registry(check_database_url(postgres.url(password="wr0ng-pa55")))
    with pytest.raises(InvalidInput, match=r"database_url: .*\*\*\*.*user name or password is wrong") as caught:
        registry.upgrade()
    assert "wr0ng" not in str(caught.value)
    registry.close()


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is a text file, long enough to be looked at\n" * 40)
    registry = Registry(sqlite_url(tmp_path / "x.db"))
    with pytest.raises(InvalidInput, match="is not a SQLite database"):
        registry.upgrade()
    registry.close()


def test_the_migrations_file_names_say_what_alembic_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "autopack.registry:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert head_revision() == scripts.get_current_head()
    assert known_revisions() == sorted(script.revision for script in scripts.walk_revisions())


def test_a_process_that_finds_its_tables_does_not_import_alembic(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "x.db")
    registry = Registry(url)
    assert registry.upgrade()
    registry.close()
    code = f"""
import sys
from pathlib import Path
from autopack.registry.store import Registry
from autopack.registry.urls import sqlite_url
assert not Registry(sqlite_url(Path({str(url.path)!r}))).upgrade()
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
