"""Runs the migrations."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def to_head(connection: Connection) -> None:
    """Bring the tables of the connection's database to the newest version, in its transaction; one thread at a time."""
    config = Config()
    config.set_main_option("script_location", "autopack.registry:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
