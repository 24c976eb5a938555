"""Connections, set up so that many processes can write and a dead server is noticed."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from .urls import DatabaseUrl

CONNECT_SECONDS = 5
SQLITE_BUSY_SECONDS = 30
_STATEMENT_MILLISECONDS = 30_000


def open_engine(url: DatabaseUrl) -> Engine:
    """Return an engine; nothing is connected yet."""
    return _sqlite(url) if url.dialect == "sqlite" else _postgres(url)


def _postgres(url: DatabaseUrl) -> Engine:
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
            "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS} -c timezone=UTC",
        },
    )


def _sqlite(url: DatabaseUrl) -> Engine:
    engine = create_engine(url.for_driver, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions begin late and as readers: two that then want to write cannot both go on.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
