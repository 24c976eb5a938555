"""Run by Alembic for each command; the connection comes from `schema`, which also holds the lock and commits."""

from __future__ import annotations

from alembic import context

from autopack.registry.models import VERSION_TABLE, Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, version_table=VERSION_TABLE
)
context.run_migrations()
