"""Real parts for the local tests: a Postgres server started by the test session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.local.postgres import PostgresServer, running_server


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
