"""The registry's tables at the version this Autopack knows."""

from __future__ import annotations

import threading
from importlib import resources

from sqlalchemy import Connection, Engine, inspect, text

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


def known_revisions() -> list[str]:
    """Return the versions that this Autopack knows, oldest first: a migration's file name begins with its revision."""
    names = [item.name for item in resources.files("autopack.registry.migrations.versions").iterdir()]
    return sorted(name.partition("_")[0] for name in names if name[:1].isdigit())


def head_revision() -> str:
    """Return the version that `upgrade` brings the tables to."""
    return known_revisions()[-1]


def current_revision(connection: Connection) -> str | None:
    """Return the version of the tables, None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def upgrade(engine: Engine) -> bool:
    """Make the tables, or bring them up to date; True if there was anything to do.

    Processes may call it at the same time. Raises SchemaTooNew, or what SQLAlchemy raises.
    """
    with _one_at_a_time, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        found = current_revision(connection)
        if found == head_revision():
            return False
        if found is not None and found not in known_revisions():
            raise SchemaTooNew(found)
        # Only here: Alembic takes half as long to import as all the rest of a process, which seldom needs it.
        from .migrate import to_head

        to_head(connection)
        return True
