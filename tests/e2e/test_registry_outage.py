"""A Postgres that goes away while runs go on: no run waits for it, no row is lost, none is doubled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from devcluster.embedded import addresses
from scripts import deploy
from scripts.deploy import kubectl
from scripts.postgres import PostgresServer, running_server

from tests.e2e.installation import Installation, install, make_batch, make_run, remove_namespace

NAMES = [f"going-r{number}" for number in range(6)]
STATES = "SELECT run_id, state FROM registry_runs ORDER BY run_id"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """On this machine; pods reach it over the bridge."""
    with running_server(addresses.HOST, addresses.NETWORKS) as found:
        yield found


@pytest.fixture(scope="module")
def installed(cluster: None, server: PostgresServer, sample_repository: Path) -> Iterator[Installation]:
    namespace = deploy.own_namespace("e2e-outage")
    remove_namespace(namespace)
    deploy.make_namespace(namespace)
    address = server.url(host=addresses.HOST)
    kubectl("create", "secret", "generic", "history", "-n", namespace, f"--from-literal=DATABASE_URL={address}")
    try:
        install(namespace, {"registry.databaseSecret": "history"})
        installation = Installation(namespace)
        installation.import_repository("sample", sample_repository)
        yield installation
    finally:
        remove_namespace(namespace)


def rows(server: PostgresServer, query: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.url())
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    except psycopg2.errors.UndefinedTable:
        return []
    finally:
        connection.close()


def until(server: PostgresServer, query: str, wanted: list[tuple[object, ...]], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while (found := rows(server, query)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def test_runs_go_on_and_every_row_arrives_once(installed: Installation, server: PostgresServer) -> None:
    until(server, "SELECT count(*) FROM registry_runs", [(0,)])
    installed.apply(make_batch("going", "sleep 3", [name.removeprefix("going-") for name in NAMES], workers=3))
    until(server, "SELECT count(*) > 0 FROM registry_runs", [(True,)])
    server.stop()
    # It is gone from the cluster before the database is back: only the operator's notes tell of it. It takes long
    # enough to be seen running: what ends at once may well be told of in one step.
    installed.apply(make_run("brief", "sleep 3", ttlSecondsAfterFinished={"succeeded": 1}))
    installed.finished("going", "runbatch", timeout=240)
    deadline = time.monotonic() + 120
    while kubectl("get", "autopackruns", "brief", "-n", installed.namespace, "--ignore-not-found", "-o", "name"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    server.start()
    until(server, STATES, [("brief", "Succeeded"), *((name, "Succeeded") for name in NAMES)])
    until(server, "SELECT state, total, succeeded FROM registry_batches", [("Succeeded", 6, 6)])
    same = (
        "SELECT run_id FROM registry_events"
        " GROUP BY run_id, state, reason, attempt, message, conditions::text, exit_code HAVING count(*) > 1"
    )
    assert rows(server, same) == []
    ended = "SELECT run_id FROM registry_events WHERE state = 'Succeeded' ORDER BY 1"
    assert rows(server, ended) == [("brief",), *((name,) for name in NAMES)]
    assert rows(
        server, "SELECT min(steps) >= 3 FROM (SELECT count(*) AS steps FROM registry_events GROUP BY run_id) AS each"
    ) == [(True,)]


def test_the_address_is_in_no_log(installed: Installation, server: PostgresServer) -> None:
    log = kubectl("logs", "-n", installed.namespace, "deploy/autopack-operator")
    assert "rows wait on disk" in log
    assert "the registry is written again" in log
    assert "s3cr3t" not in log
