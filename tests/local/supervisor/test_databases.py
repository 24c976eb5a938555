"""Eight workers, a hundred runs, on both kinds of database, and with the server away for a while: no row is lost, and
no run notices.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg2
import pytest
from scripts.postgres import PostgresServer
from tests.local.supervisor.scene import Scene, clean_environment, python, wait_until

from autopack.registry.store import Registry
from autopack.registry.urls import check_database_url

HUNDRED = [f"run-{number:03}" for number in range(100)]
NEVER_SHOWN = ("database is locked", "OperationalError", "Traceback", "psycopg2")

WRITES_TO_POSTGRES = """
import os, psycopg2
connection = psycopg2.connect(os.environ['DATABASE_URL'])
cursor = connection.cursor()
cursor.execute('INSERT INTO mine VALUES (%s)', (os.environ['AUTOPACK_RUN_ID'],))
connection.commit()
connection.close()
"""
WRITES_TO_SQLITE = """
import os, sqlite3
connection = sqlite3.connect(os.environ['DATABASE_URL'].removeprefix('sqlite:///'))
for _ in range(20):
    with connection: connection.execute('CREATE TABLE IF NOT EXISTS mine (id TEXT)')
    with connection: connection.execute('INSERT INTO mine VALUES (?)', (os.environ['AUTOPACK_RUN_ID'],))
"""


def states(url: str) -> Counter[str]:
    """Count the runs in the registry by state."""
    registry = Registry(check_database_url(url))
    try:
        return Counter(row.state for row in registry.runs())
    finally:
        registry.close()


def events(url: str) -> tuple[int, int]:
    """Return how many events the registry has, and how many different ones."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*), count(DISTINCT (run_id, state)) FROM registry_events")
            total, different = cursor.fetchone() or (0, 0)
            return total, different
    finally:
        connection.close()


@pytest.mark.timeout(600)
def test_a_hundred_runs_on_postgres(scene: Scene, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id TEXT PRIMARY KEY)")
    command = ("--workers", "8", "--command", python(WRITES_TO_POSTGRES))
    done = scene.supervise(HUNDRED, *command, env={"DATABASE_URL": url})
    assert "Total: 100/100 successful" in done.stdout, done.stderr
    assert not any(word in done.stdout + done.stderr for word in NEVER_SHOWN)
    assert states(url) == {"Succeeded": 100}
    assert events(url) == (200, 200)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mine")
        assert cursor.fetchone() == (100,)
    connection.close()


@pytest.mark.timeout(600)
def test_a_hundred_runs_with_a_sqlite_file_each(scene: Scene) -> None:
    done = scene.supervise(HUNDRED, "--workers", "8", "--per-run-sqlite", "--command", python(WRITES_TO_SQLITE))
    assert "Total: 100/100 successful" in done.stdout, done.stderr
    assert not any(word in done.stdout + done.stderr for word in NEVER_SHOWN)
    found = [rows(scene.runs / run_id / f"{run_id}.db") for run_id in HUNDRED]
    assert found == [(run_id, "Succeeded", 2, 20) for run_id in HUNDRED]


def rows(path: Path) -> tuple[str, str, int, int]:
    """Return the run, its state, and how many events and rows of its own its file has."""
    with sqlite3.connect(path) as database:
        ((run_id, state),) = database.execute("SELECT run_id, state FROM registry_runs").fetchall()
        ((events,),) = database.execute("SELECT count(*) FROM registry_events").fetchall()
        ((mine,),) = database.execute("SELECT count(*) FROM mine").fetchall()
    database.close()
    return run_id, state, events, mine


@pytest.mark.timeout(600)
def test_runs_go_on_while_postgres_is_away_for_30_seconds_and_every_row_arrives_once(
    scene: Scene, own_postgres: PostgresServer
) -> None:
    url = own_postgres.new_database()
    run_ids = [f"run-{number}" for number in range(80)]
    ended_meanwhile: list[int] = []

    def outage() -> None:
        wait_until(lambda: len(list(scene.runs.glob(".kept/*/result.json"))) >= 4, "some runs have ended")
        own_postgres.stop()
        before = len(list(scene.runs.glob(".kept/*/result.json")))
        time.sleep(30)
        ended_meanwhile.append(len(list(scene.runs.glob(".kept/*/result.json"))) - before)
        own_postgres.start()

    thread = threading.Thread(target=outage)
    thread.start()
    command = python("import time; time.sleep(4)")
    done = scene.supervise(run_ids, "--workers", "8", "--command", command, env={"DATABASE_URL": url})
    thread.join()
    assert "Total: 80/80 successful" in done.stdout, done.stderr
    assert ended_meanwhile[0] > 0
    assert states(url) == {"Succeeded": 80}
    assert events(url) == (160, 160)
    assert "s3cr3t" not in done.stdout + done.stderr


def test_rows_wait_on_disk_when_postgres_stays_away_and_are_sent_later(
    scene: Scene, own_postgres: PostgresServer
) -> None:
    url = own_postgres.new_database()
    env = {"DATABASE_URL": url}
    code = "import os, time\nwhile not os.path.exists(os.environ['AUTONOMOUS_RUNS_DIR'] + '/go'): time.sleep(0.05)"

    def outage() -> None:
        wait_until((scene.runs / "workspaces/run-1").exists, "the run has started")
        own_postgres.stop()
        (scene.runs / "go").touch()

    thread = threading.Thread(target=outage)
    thread.start()
    done = scene.supervise(["run-1"], "--command", python(code), env=env)
    thread.join()
    assert done.returncode == 0, done.stderr
    assert "The rows of 1 run wait in" in done.stderr
    assert "autopack registry replay" in done.stderr
    own_postgres.start()
    assert states(url) == {"Running": 1}
    again = scene.supervise(["run-2"], "--command", python("pass"), env=env)
    assert again.returncode == 0, again.stderr
    assert states(url) == {"Succeeded": 2}


def test_a_database_that_lost_its_rows_can_be_filled_again(scene: Scene, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    scene.supervise(["a", "b"], "--command", python("pass"), env={"DATABASE_URL": url})
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()
    done = subprocess.run(
        [sys.executable, "-m", "autopack.cli", "registry", "replay", "--all", "--autonomous-runs-dir", str(scene.runs)],
        env=clean_environment({"DATABASE_URL": url}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "sent 4 rows of 2 runs\n", done.stderr
    assert states(url) == {"Succeeded": 2}
