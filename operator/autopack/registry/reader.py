"""What the registry tells people: pages of runs and batches, and all there is about one run. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Row, and_, case, cast, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from autopack.agents.usage import Usage
from autopack.phases import TERMINAL_PHASES, Phase

from .engine import open_reader
from .failures import DatabaseUnreachable, explain
from .models import BatchRow, EventRow, RunRow
from .urls import DatabaseUrl

_NOT_MADE = ("no such table", "UndefinedTable", "unable to open database file")
_NOT_YET = ("the registry does not exist yet", "The operator or the first batch creates it: try again in a moment")


@dataclass(frozen=True, kw_only=True)
class _Used:
    """What agents used, as they tell."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    turns: int | None = None
    micro_usd: int | None = None

    @property
    def usage(self) -> Usage:
        """The same, to reckon with."""
        return Usage(*(getattr(self, name) for name in Usage._fields))


@dataclass(frozen=True)
class RunSummary(_Used):
    """A run as lists show it. Times are aware, in UTC; `summary` is what its agent said last."""

    scope: str
    run_id: str
    attempt: int
    state: str
    reason: str | None
    batch_id: str | None
    listed_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    summary: str | None = None


@dataclass(frozen=True)
class Step:
    """A moment in the life of a run."""

    attempt: int
    state: str
    at: datetime
    reason: str | None
    message: str | None
    exit_code: int | None
    base_sha: str | None
    head_sha: str | None
    workspace: str | None
    artifacts: str | None
    started_at: datetime | None
    finished_at: datetime | None
    conditions: list[dict[str, str]]


@dataclass(frozen=True)
class RunDetail:
    """Everything about a run: `steps` are its history, oldest first."""

    summary: RunSummary
    message: str | None
    branch: str | None
    base_sha: str | None
    head_sha: str | None
    snapshot_sha: str | None
    ref: str | None
    repository_key: str | None
    workspace: str | None
    artifacts: str | None
    manifest_sha256: str | None
    created_at: datetime | None
    agent: str | None
    model: str | None
    prompt: str | None
    conditions: list[dict[str, str]]
    steps: list[Step]


@dataclass(frozen=True)
class BatchSummary(_Used):
    """A batch as lists show it."""

    batch_id: str
    state: str
    reason: str | None
    message: str | None
    workers: int
    total: int
    pending: int
    active: int
    succeeded: int
    failed: int
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class RunFilter:
    """What a list of runs is narrowed to; None is everything. `text` is looked for in run ids, whatever the case."""

    state: str | None = None
    batch_id: str | None = None
    text: str | None = None
    run_id: str | None = None
    since: datetime | None = None


Cursor = tuple[datetime, str, str]
"""Where a page ends: `listed_at`, `scope` and `run_id` of its last run."""


class RegistryReader:
    """Reads one database; of one installation, or with None what local supervisors wrote.

    Methods raise AutopackError: InvalidInput or DatabaseUnreachable.
    """

    def __init__(self, url: DatabaseUrl, installation: str | None) -> None:
        self._url, self._installation = url, installation
        self._engine = open_reader(url)

    def runs(self, wanted: RunFilter, after: Cursor | None, limit: int) -> list[RunSummary]:
        """Return a page of runs, the newest first, that come after the cursor."""
        keys = (RunRow.listed_at, RunRow.scope, RunRow.run_id)
        query = select(*(getattr(RunRow, name) for name in RunSummary.__dataclass_fields__)).where(self._ours(RunRow))
        query = query.where(*_conditions_of(wanted))
        if after is not None:
            query = query.where(tuple_(*keys) < tuple_(*after))
        query = query.order_by(*(key.desc() for key in keys)).limit(limit)
        return [RunSummary(**_aware(row)) for row in self._all(query)]

    def count_by_state(self, wanted: RunFilter) -> dict[str, int]:
        """Return how many runs there are in each state."""
        query = select(RunRow.state, func.count()).where(self._ours(RunRow), *_conditions_of(wanted))
        return dict(map(tuple, self._all(query.group_by(RunRow.state))))

    def run(self, scope: str, run_id: str) -> RunDetail | None:
        """Return everything about one run, None if it is unknown."""
        query = select(*RunRow.__table__.columns).where(
            self._ours(RunRow), RunRow.scope == scope, RunRow.run_id == run_id
        )
        found = self._all(query)
        if not found:
            return None
        row = _aware(found[0])
        history = select(*(getattr(EventRow, name) for name in Step.__dataclass_fields__)).where(
            EventRow.scope == scope, EventRow.run_id == run_id
        )
        steps = [Step(**_with_list(_aware(each))) for each in self._all(history.order_by(EventRow.sequence))]
        summary = RunSummary(**{name: row[name] for name in RunSummary.__dataclass_fields__})
        names = RunDetail.__dataclass_fields__.keys() - {"summary", "steps"}
        return RunDetail(summary, **_with_list({name: row[name] for name in names}), steps=steps)

    def batches(self, after: str | None, limit: int) -> list[BatchSummary]:
        """Return a page of batches, the newest first; `after` is the last batch's name on the page before."""
        if self._installation is None:
            return self._local_batches(after, limit)
        query = select(*BatchRow.__table__.columns).where(self._ours(BatchRow))
        last = None if after is None else self._newest_batch(after)
        if last is not None:
            query = query.where(tuple_(BatchRow.created_at, BatchRow.scope) < tuple_(last.created_at, last.scope))
        rows = self._all(query.order_by(BatchRow.created_at.desc(), BatchRow.scope.desc()).limit(limit))
        return [_batch(row) for row in rows]

    def batch(self, batch_id: str) -> BatchSummary | None:
        """Return the newest batch of that name."""
        if self._installation is None:
            return next(iter(self._local_batches(None, 1, batch_id)), None)
        row = self._newest_batch(batch_id)
        return None if row is None else _batch(row)

    def version(self) -> str:
        """Return a text that changes whenever a row does."""
        parts = [
            self._all(select(func.count(), func.max(table.sequence), func.max(moment)).where(self._ours(table)))[0]
            for table, moment in ((RunRow, RunRow.at), (BatchRow, BatchRow.finished_at))
        ]
        return " ".join(str(value) for row in parts for value in row)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _newest_batch(self, batch_id: str) -> Row[Any] | None:
        query = select(*BatchRow.__table__.columns).where(self._ours(BatchRow), BatchRow.batch_id == batch_id)
        return next(iter(self._all(query.order_by(BatchRow.created_at.desc()).limit(1))), None)

    def _local_batches(self, after: str | None, limit: int, only: str | None = None) -> list[BatchSummary]:
        """The local supervisor keeps no rows of batches; their names sort by time."""
        ended = RunRow.state.in_(TERMINAL_PHASES)

        def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
            return func.sum(case((condition, 1), else_=0))

        query = select(
            RunRow.batch_id,
            func.count().label("total"),
            count(RunRow.state == Phase.RUNNING).label("active"),
            count(RunRow.state == Phase.SUCCEEDED).label("succeeded"),
            count(and_(ended, RunRow.state != Phase.SUCCEEDED)).label("failed"),
            func.min(RunRow.started_at).label("started_at"),
            func.max(RunRow.finished_at).label("finished_at"),
            *(cast(func.sum(getattr(RunRow, name)), BigInteger).label(name) for name in Usage._fields),
        ).where(self._ours(RunRow), RunRow.batch_id.is_not(None))
        if after is not None:
            query = query.where(RunRow.batch_id < after)
        if only is not None:
            query = query.where(RunRow.batch_id == only)
        rows = self._all(query.group_by(RunRow.batch_id).order_by(RunRow.batch_id.desc()).limit(limit))
        return [_local_batch(_aware(row)) for row in rows]

    def _ours(self, table: type[RunRow | BatchRow]) -> ColumnElement[bool]:
        if self._installation is None:
            return table.installation.is_(None)
        return table.installation == self._installation

    def _all(self, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - selects of any columns
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).all()
        except (SQLAlchemyError, OSError) as error:
            if any(sign in str(error) for sign in _NOT_MADE):
                raise DatabaseUnreachable(*_NOT_YET) from error
            raise explain(error, self._url) from error


def _conditions_of(wanted: RunFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(RunRow.state == wanted.state)
    if wanted.batch_id:
        found.append(RunRow.batch_id == wanted.batch_id)
    if wanted.run_id:
        found.append(RunRow.run_id == wanted.run_id)
    if wanted.text:
        found.append(RunRow.run_id.icontains(wanted.text, autoescape=True))
    if wanted.since:
        found.append(RunRow.listed_at >= wanted.since)
    return found


def _aware(row: Row[Any]) -> dict[str, Any]:
    """SQLite keeps no time zone: what was written there is in UTC."""
    found = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's names
    naive = {name: value for name, value in found.items() if isinstance(value, datetime) and value.tzinfo is None}
    return found | {name: value.replace(tzinfo=UTC) for name, value in naive.items()}


def _with_list(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"conditions": values["conditions"] or []}


def _batch(row: Row[Any]) -> BatchSummary:
    values = _aware(row)
    return BatchSummary(**{name: values[name] for name in BatchSummary.__dataclass_fields__})


def _local_batch(values: dict[str, Any]) -> BatchSummary:
    left = values["total"] - values["succeeded"] - values["failed"]
    state = Phase.RUNNING if left else Phase.FAILED if values["failed"] else Phase.SUCCEEDED
    finished = None if left else values["finished_at"]
    created = values["started_at"]
    rest = {"pending": left - values["active"], "created_at": created, "workers": 0, "reason": None, "message": None}
    return BatchSummary(**values | rest | {"state": state, "finished_at": finished})
