"""The registry's tables at the version this Autopack knows."""

from __future__ import annotations

import threading

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from autopack.errors import AutopackError, printable

from .models import VERSION_TABLE

# Any number will do as long as every Autopack takes the same.
_ADVISORY_LOCK = 7_205_759_403_792
# Alembic keeps its context in module globals.
_one_at_a_time = threading.Lock()


class SchemaTooNew(AutopackError):  # noqa: N818 - says a state
    """The tables were made by a newer Autopack."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            "SchemaTooNew",
            f"the registry's tables have version {printable(revision, 40)}, which is newer than this Autopack",
            "Upgrade Autopack, or give another database",
        )
        self.args = (revision,)


def head_revision() -> str:
    """Return the version that `upgrade` brings the tables to."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current_revision(connection: Connection) -> str | None:
    """Return the version of the tables, None where there are none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def upgrade(engine: Engine) -> bool:
    """Make the tables, or bring them up to date; True if there was anything to do.

    Processes may call it at the same time. Raises SchemaTooNew, or what SQLAlchemy raises.
    """
    with _one_at_a_time, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        config = _config()
        scripts = ScriptDirectory.from_config(config)
        found = current_revision(connection)
        if found == scripts.get_current_head():
            return False
        if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
            raise SchemaTooNew(found)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return True


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "autopack.registry:migrations")
    config.set_main_option("path_separator", "os")
    return config
