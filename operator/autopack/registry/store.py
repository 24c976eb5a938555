"""Writing and reading the registry. Writing is idempotent: the same events in any order, any number of times, give the
same rows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from autopack.agents.usage import from_json
from autopack.errors import AutopackError
from autopack.unsaved import condition

from . import schema
from .engine import open_engine
from .events import BatchEvent, RunEvent
from .failures import DatabaseUnreachable, explain
from .models import Base, BatchRow, EventRow, RunRow
from .urls import DatabaseUrl

_TIMES = ("at", "created_at", "started_at", "finished_at")


class Registry:
    """The registry in one database. Methods raise AutopackError: InvalidInput, SchemaTooNew or DatabaseUnreachable.

    `wal`: whether a SQLite file is put into WAL mode, which its readers need to be able to write beside it.
    """

    def __init__(self, url: DatabaseUrl, *, wal: bool = True) -> None:
        self.url = url
        self._engine: Engine = open_engine(url, wal=wal)

    def upgrade(self) -> bool:
        """Make the tables or bring them up to date; True if anything was changed."""
        try:
            return schema.upgrade(self._engine)
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error) from error

    def record(self, events: Iterable[RunEvent], batches: Iterable[BatchEvent] = ()) -> None:
        """Write events, the newest of each run as its row, and the newest states of batches, in one transaction."""
        found = list(events)
        rows = [_row(event) for event in found]
        newest = {(row["scope"], row["run_id"]): row for row in sorted(map(_newest, found), key=_sequence)}
        states = {row["scope"]: row for row in sorted(map(_batch_row, batches), key=_sequence)}
        try:
            with self._engine.begin() as connection:
                if rows:
                    connection.execute(_insert(self.url.dialect, EventRow).on_conflict_do_nothing(), rows)
                # One order for all writers: two that lock the same rows in different orders would wait for each other.
                self._upsert(connection, RunRow, [newest[key] for key in sorted(newest)], ("scope", "run_id"))
                self._upsert(connection, BatchRow, [states[key] for key in sorted(states)], ("scope",))
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error) from error

    def _upsert(
        self, connection: Connection, table: type[RunRow | BatchRow], rows: list[dict[str, Any]], keys: tuple[str, ...]
    ) -> None:
        if rows:
            connection.execute(_newest_wins(self.url.dialect, table, tuple(rows[0]), keys), rows)

    def runs(self, scope: str | None = None) -> Sequence[Row[tuple[RunRow]]]:
        """Return the rows of runs, ordered by run id; of one scope, or all."""
        query = select(*RunRow.__table__.columns).order_by(RunRow.run_id, RunRow.scope)
        if scope is not None:
            query = query.where(RunRow.scope == scope)
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).all()
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error) from error

    def versions(self) -> dict[str, int]:
        """Return the version of each row of runs and batches that have a scope of their own, by scope."""
        try:
            with self._engine.connect() as connection:
                found = [connection.execute(select(table.scope, table.sequence)) for table in (RunRow, BatchRow)]
                return {scope: sequence for rows in found for scope, sequence in rows}
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _explain(self, error: SQLAlchemyError | OSError) -> AutopackError:
        explained = explain(error, self.url)
        if isinstance(explained, DatabaseUnreachable):
            # A session keeps what it began with: read-only, or on a server that is no longer the first one.
            self._engine.dispose()
        return explained


def _insert(dialect: str, table: type[Base]) -> Any:  # noqa: ANN401 - the two dialects share no class for it
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@functools.cache
def _newest_wins(dialect: str, table: type[RunRow | BatchRow], columns: tuple[str, ...], keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - as above
    """An upsert, made once: SQLAlchemy copies all of the table to name what is inserted."""
    insert = _insert(dialect, table)
    changed = {name: insert.excluded[name] for name in columns if name not in keys}
    newer = table.sequence <= insert.excluded.sequence
    return insert.on_conflict_do_update(index_elements=keys, set_=changed, where=newer)


def _row(event: RunEvent) -> dict[str, Any]:
    row: dict[str, Any] = {"scope": event.scope, "sequence": event.sequence, **asdict(event.facts)}
    row |= _numbers(row.pop("usage"))
    saved, unsaved, _ = (row.pop(name) for name in ("saved", "unsaved", "history_ref"))
    if saved != "all":
        row["conditions"] = [*(row["conditions"] or ()), condition(saved, unsaved, event.facts.at)]
    return _with_times(row | {"state": str(event.facts.state)})


def _newest(event: RunEvent) -> dict[str, Any]:
    row = _row(event)
    version = event.sequence if event.version is None else event.version
    return row | {"sequence": version, "listed_at": row["created_at"] or row["started_at"] or row["at"]}


def _batch_row(event: BatchEvent) -> dict[str, Any]:
    row: dict[str, Any] = {"scope": event.scope, "sequence": event.version, **asdict(event.facts)}
    return _with_times(row | _numbers(row.pop("usage")))


def _numbers(usage: object) -> dict[str, int | None]:
    return from_json(usage)._asdict()


def _sequence(row: dict[str, Any]) -> int:
    number: int = row["sequence"]
    return number


def _with_times(row: dict[str, Any]) -> dict[str, Any]:
    texts = {name: row[name] for name in _TIMES if row.get(name) is not None}
    return row | {name: datetime.fromisoformat(text) for name, text in texts.items()}
