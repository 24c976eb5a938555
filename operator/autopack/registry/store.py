"""Writing and reading the registry. Writing is idempotent: the same events in any order, any number of times, give the
same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from autopack.errors import AutopackError

from . import schema
from .engine import open_engine
from .events import RunEvent
from .failures import explain
from .models import EventRow, RunRow
from .urls import DatabaseUrl

_TIMES = ("at", "started_at", "finished_at")


class Registry:
    """The registry in one database. Methods raise AutopackError: InvalidInput, SchemaTooNew or DatabaseUnreachable."""

    def __init__(self, url: DatabaseUrl) -> None:
        self.url = url
        self._engine: Engine = open_engine(url)

    def upgrade(self) -> bool:
        """Make the tables or bring them up to date; True if anything was changed."""
        try:
            return schema.upgrade(self._engine)
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error) from error

    def record(self, events: Iterable[RunEvent]) -> None:
        """Write events, and the newest of each run as its row, in one transaction."""
        rows = [_row(event) for event in events]
        if not rows:
            return
        insert = postgresql.insert if self.url.dialect == "postgresql" else sqlite.insert
        newest = {(row["scope"], row["run_id"]): row for row in sorted(rows, key=lambda row: row["sequence"])}
        history = insert(EventRow).on_conflict_do_nothing()
        upsert = insert(RunRow)
        upsert = upsert.on_conflict_do_update(
            index_elements=[RunRow.scope, RunRow.run_id],
            set_={name: upsert.excluded[name] for name in rows[0] if name not in {"scope", "run_id"}},
            where=RunRow.sequence < upsert.excluded.sequence,
        )
        try:
            with self._engine.begin() as connection:
                connection.execute(history, rows)
                # One order for all writers: two that lock the same rows in different orders would wait for each other.
                connection.execute(upsert, [newest[key] for key in sorted(newest)])
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error) from error

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

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _explain(self, error: SQLAlchemyError | OSError) -> AutopackError:
        return explain(error, self.url)


def _row(event: RunEvent) -> dict[str, Any]:
    row: dict[str, Any] = {"scope": event.scope, "sequence": event.sequence, **asdict(event.facts)}
    row["state"] = str(event.facts.state)
    for name in _TIMES:
        if row[name] is not None:
            row[name] = datetime.fromisoformat(row[name])
    return row
