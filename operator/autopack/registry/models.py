"""The registry's tables. The prefix keeps them apart from tables that the user's own program has in its database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERSION_TABLE = "registry_alembic_version"


class Base(DeclarativeBase):
    """All tables of the registry."""


class _Usage:
    """What agents used, as they tell; see `agents.usage.Usage`."""

    requests: Mapped[int | None] = mapped_column(BigInteger)
    input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cached_tokens: Mapped[int | None] = mapped_column(BigInteger)
    turns: Mapped[int | None] = mapped_column(BigInteger)
    micro_usd: Mapped[int | None] = mapped_column(BigInteger)


class _Facts(_Usage):
    """The columns that the newest row and the history share; see `events.RunRecord`."""

    attempt: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    batch_id: Mapped[str | None] = mapped_column(String(253))
    reason: Mapped[str | None] = mapped_column(String(128))
    message: Mapped[str | None] = mapped_column(Text)
    exit_code: Mapped[int | None] = mapped_column(Integer)
    branch: Mapped[str | None] = mapped_column(Text)
    base_sha: Mapped[str | None] = mapped_column(String(64))
    head_sha: Mapped[str | None] = mapped_column(String(64))
    snapshot_sha: Mapped[str | None] = mapped_column(String(64))
    workspace: Mapped[str | None] = mapped_column(Text)
    artifacts: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    installation: Mapped[str | None] = mapped_column(String(253))
    created_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ref: Mapped[str | None] = mapped_column(Text)
    repository_key: Mapped[str | None] = mapped_column(String(128))
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))
    conditions: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    summary: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(String(63))
    model: Mapped[str | None] = mapped_column(String(200))
    prompt: Mapped[str | None] = mapped_column(Text)


class RunRow(_Facts, Base):
    """The newest state of each run: one row a run, whatever happens. Lists are in the order of `listed_at`."""

    __tablename__ = "registry_runs"
    __table_args__ = (
        Index("ix_registry_runs_listed", "listed_at", "scope", "run_id"),
        Index("ix_registry_runs_state_listed", "state", "listed_at", "scope", "run_id"),
        Index("ix_registry_runs_batch_listed", "batch_id", "listed_at", "scope", "run_id"),
    )

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(253), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    listed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EventRow(_Facts, Base):
    """Everything that happened to each run, never changed."""

    __tablename__ = "registry_events"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(253), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class BatchRow(_Usage, Base):
    """The newest state of each batch in a cluster; see `events.BatchRecord`."""

    __tablename__ = "registry_batches"
    __table_args__ = (Index("ix_registry_batches_created", "created_at", "scope"),)

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    batch_id: Mapped[str] = mapped_column(String(253))
    state: Mapped[str] = mapped_column(String(16))
    installation: Mapped[str] = mapped_column(String(253))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(String(128))
    message: Mapped[str | None] = mapped_column(Text)
    workers: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    pending: Mapped[int] = mapped_column(Integer)
    active: Mapped[int] = mapped_column(Integer)
    succeeded: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
