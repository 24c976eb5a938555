"""Where the rows of a batch go, and which database each run is given."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

from autopack.file_layout import RunFileLayout
from autopack.registry.outbox import Outbox
from autopack.registry.store import Registry
from autopack.registry.urls import DatabaseUrl, check_database_url, sqlite_url

from .errors import SupervisorError
from .filesystems import refuse_network


class DatabaseStrategy(Protocol):
    """One of the two ways in which parallel runs may use databases."""

    name: str
    destination: str

    def check(self) -> None:
        """Make sure, before any work, that the database can be used; raises AutopackError."""
        ...

    def prepare(self, layout: RunFileLayout) -> str:
        """Make what the run needs and return its DATABASE_URL."""
        ...

    def registry_of(self, name: str) -> Registry | None:
        """Return the registry for the rows of a run, by its folder's name; None if it has none and wants none."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class PostgresStrategy:
    """All runs share one server, which is made for many writers."""

    name = "Postgres"

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._registry = Registry(url)
        self._ready = False
        self.destination = url.key

    def check(self) -> None:
        """Connect and bring the registry's tables up to date."""
        self._registry.upgrade()
        self._ready = True

    def prepare(self, layout: RunFileLayout) -> str:  # noqa: ARG002 - the same for all runs
        """Return the address as it was given."""
        return self._url.text

    def registry_of(self, name: str) -> Registry | None:  # noqa: ARG002 - the same for all runs
        """Return the one registry."""
        if not self._ready:
            self.check()
        return self._registry

    def close(self) -> None:
        """Close all connections."""
        self._registry.close()


class PerRunSqliteStrategy:
    """Each run has a SQLite file of its own among its artifacts, in WAL mode; no two runs write to one file."""

    name = "per-run SQLite"
    destination = "per-run-sqlite"

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        # Only one connection may turn a new file into WAL mode: SQLite does not make the second one wait.
        self._making = threading.Lock()

    def check(self) -> None:
        """Refuse network file systems."""
        refuse_network(self._runs_dir)

    def prepare(self, layout: RunFileLayout) -> str:
        """Make the run's file with the registry's tables and return its address."""
        registry = Registry(sqlite_url(layout.database_path))
        with self._making:
            registry.upgrade()
        return registry.url.text

    def registry_of(self, name: str) -> Registry | None:
        """Return the registry in the run's file; None for a run that has none (it ran on Postgres, or was deleted)."""
        path = self._runs_dir / name / f"{name}.db"
        if not path.exists():
            return None
        registry = Registry(sqlite_url(path))
        with self._making:
            registry.upgrade()
        return registry

    def close(self) -> None:
        """Nothing stays open."""


def choose_strategy(database_url: str | None, runs_dir: Path, *, per_run_sqlite: bool) -> DatabaseStrategy:
    """Return the strategy. Raises InvalidInput for a bad address, SupervisorError for one shared SQLite file."""
    if per_run_sqlite:
        return PerRunSqliteStrategy(runs_dir)
    url = check_database_url(database_url)
    if url.dialect != "postgresql":
        raise SupervisorError(
            "Parallel runs require Postgres database for safe concurrent writes, not one shared SQLite file",
            "Use --database-url postgresql://… or give each run its own file with --per-run-sqlite",
        )
    return PostgresStrategy(url)


def outbox_of(runs_dir: Path, strategy: DatabaseStrategy) -> Outbox:
    """Return the rows on disk, with the notes of what this strategy's database has."""
    return Outbox(runs_dir, strategy.destination)
