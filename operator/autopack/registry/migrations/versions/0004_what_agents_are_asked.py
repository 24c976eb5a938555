"""Which agents work, and what they are asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = ("registry_runs", "registry_events")


def _added() -> list[sa.Column[object]]:
    return [sa.Column("agent", sa.String(63)), sa.Column("model", sa.String(200)), sa.Column("prompt", sa.Text)]


def upgrade() -> None:
    """Add the columns; of what was written before, nothing is known."""
    for table in _TABLES:
        for column in _added():
            op.add_column(table, column)


def downgrade() -> None:
    """Go back."""
    for table in _TABLES:
        with op.batch_alter_table(table) as altered:
            for column in _added():
                altered.drop_column(column.name)
