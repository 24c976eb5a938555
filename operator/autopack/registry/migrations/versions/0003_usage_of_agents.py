"""What agents used, and what they said last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("registry_runs", "registry_events", "registry_batches")
_NUMBERS = ("requests", "input_tokens", "output_tokens", "cached_tokens", "turns", "micro_usd")


def _added(table: str) -> list[sa.Column[object]]:
    numbers: list[sa.Column[object]] = [sa.Column(name, sa.BigInteger) for name in _NUMBERS]
    return numbers if table == "registry_batches" else [*numbers, sa.Column("summary", sa.Text)]


def upgrade() -> None:
    """Add the columns; of what was written before, nothing is known."""
    for table in _TABLES:
        for column in _added(table):
            op.add_column(table, column)


def downgrade() -> None:
    """Go back."""
    for table in _TABLES:
        with op.batch_alter_table(table) as altered:
            for column in _added(table):
                altered.drop_column(column.name)
