"""Runs and their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _facts() -> list[sa.Column[object]]:
    return [
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.String(128)),
        sa.Column("reason", sa.String(64)),
        sa.Column("message", sa.Text),
        sa.Column("exit_code", sa.Integer),
        sa.Column("branch", sa.Text),
        sa.Column("base_sha", sa.String(64)),
        sa.Column("head_sha", sa.String(64)),
        sa.Column("snapshot_sha", sa.String(64)),
        sa.Column("workspace", sa.Text),
        sa.Column("artifacts", sa.Text),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    ]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "registry_runs",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("run_id", sa.String(253), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        *_facts(),
    )
    op.create_index("ix_registry_runs_state", "registry_runs", ["state"])
    op.create_index("ix_registry_runs_batch_id", "registry_runs", ["batch_id"])
    op.create_table(
        "registry_events",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("run_id", sa.String(253), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        *_facts(),
    )


def downgrade() -> None:
    """Drop them; the rows can be sent again from the folder of runs."""
    op.drop_table("registry_events")
    op.drop_table("registry_runs")
