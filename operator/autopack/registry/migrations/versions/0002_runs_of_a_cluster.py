"""Runs and batches of a cluster, and the order of lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("registry_runs", "registry_events")


def _cluster_facts() -> list[sa.Column[object]]:
    return [
        sa.Column("installation", sa.String(253)),
        sa.Column("created_at", sa.DateTime(timezone=True)),
        sa.Column("ref", sa.Text),
        sa.Column("repository_key", sa.String(128)),
        sa.Column("manifest_sha256", sa.String(64)),
        sa.Column("conditions", sa.JSON),
    ]


def upgrade() -> None:
    """Add the columns; what was written before is listed by the time at which it started."""
    op.drop_index("ix_registry_runs_state", "registry_runs")
    op.drop_index("ix_registry_runs_batch_id", "registry_runs")
    for table in _TABLES:
        with op.batch_alter_table(table) as altered:
            altered.alter_column("batch_id", existing_type=sa.String(128), type_=sa.String(253))
            altered.alter_column("reason", existing_type=sa.String(64), type_=sa.String(128))
            for column in _cluster_facts():
                altered.add_column(column)
    with op.batch_alter_table("registry_runs") as runs:
        runs.add_column(sa.Column("listed_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE registry_runs SET listed_at = coalesce(started_at, at)")
    with op.batch_alter_table("registry_runs") as runs:
        runs.alter_column("listed_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    for name, first in (("listed", ()), ("state_listed", ("state",)), ("batch_listed", ("batch_id",))):
        op.create_index(f"ix_registry_runs_{name}", "registry_runs", [*first, "listed_at", "scope", "run_id"])
    op.create_table(
        "registry_batches",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("batch_id", sa.String(253), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("installation", sa.String(253), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(128)),
        sa.Column("message", sa.Text),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("workers", "total", "pending", "active", "succeeded", "failed")
        ),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_registry_batches_created", "registry_batches", ["created_at", "scope"])


def downgrade() -> None:
    """Go back; the rows of a cluster's runs stay, cut to what fits."""
    op.drop_table("registry_batches")
    for name in ("listed", "state_listed", "batch_listed"):
        op.drop_index(f"ix_registry_runs_{name}", "registry_runs")
    with op.batch_alter_table("registry_runs") as runs:
        runs.drop_column("listed_at")
    for table in _TABLES:
        with op.batch_alter_table(table) as altered:
            for column in _cluster_facts():
                altered.drop_column(column.name)
    op.create_index("ix_registry_runs_state", "registry_runs", ["state"])
    op.create_index("ix_registry_runs_batch_id", "registry_runs", ["batch_id"])
