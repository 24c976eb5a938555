"""Real parts for the local tests: a Postgres server started by the test session."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from scripts.postgres import PostgresServer, running_server


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell starts what it puts into the background with SIGINT ignored, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server shared by the tests of a process; each takes a new database on it."""
    with running_server() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for a test that stops it."""
    with running_server() as server:
        yield server
