"""Connections, set up so that many processes can write and a dead server is noticed."""

from __future__ import annotations

import sqlite3
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from .urls import DatabaseUrl

CONNECT_SECONDS = 5
SQLITE_BUSY_SECONDS = 30
_STATEMENT_MILLISECONDS = 30_000


def open_engine(url: DatabaseUrl, *, wal: bool = True) -> Engine:
    """Return an engine; nothing is connected yet. `wal` is for SQLite; a rollback journal is kept without it."""
    return _sqlite(url, wal=wal) if url.dialect == "sqlite" else _postgres(url)


def open_reader(url: DatabaseUrl) -> Engine:
    """Return an engine that cannot write: not by mistake, and not if it were told to."""
    if url.path is None:
        return _postgres(url, "-c default_transaction_read_only=on")
    address = f"file:{quote(str(url.path))}?mode=ro"
    return create_engine(
        "sqlite://",
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(address, uri=True, timeout=SQLITE_BUSY_SECONDS, check_same_thread=False),
    )


def _postgres(url: DatabaseUrl, options: str = "") -> Engine:
    return create_engine(
        url.for_driver,
        pool_size=2,
        max_overflow=2,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "autopack",
            # A server that vanishes without a word is given up after these, not after hours.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS} -c timezone=UTC {options}".rstrip(),
        },
    )


def _sqlite(url: DatabaseUrl, *, wal: bool) -> Engine:
    engine = create_engine(url.for_driver, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions begin late and as readers: two that then want to write cannot both go on.
        connection.isolation_level = None
        connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'TRUNCATE'}")
        connection.execute(f"PRAGMA synchronous={'NORMAL' if wal else 'FULL'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
