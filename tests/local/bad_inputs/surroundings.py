"""Environment, command line, databases. "no kubeconfig", "403" and "CRDs absent" are for the cluster's commands."""

from __future__ import annotations

import os
import sqlite3

from scripts.postgres import PostgresServer

from autopack.registry.models import VERSION_TABLE

from .table import REFUSED, SECRET, Place, Row, path_in

_UNESCAPED = "unescaped special character. In user name and password write @"


def _database(item: str, url: str, says: str) -> list[Row]:
    """Return two rows: the address as an option, and in the environment."""
    return [
        Row(item, REFUSED, says, ("--database-url", url), sqlite=False),
        Row(f"{item}, in DATABASE_URL", REFUSED, says, env={"DATABASE_URL": url}, sqlite=False),
    ]


def _wrong_password(place: Place) -> dict[str, str]:
    server: PostgresServer = place.request.getfixturevalue("postgres")
    return {"url": server.url(password=SECRET)}


def _network_file_system(place: Place) -> None:
    path_in(place, "mountinfo").write_text("1 0 0:5 / / rw - nfs4 server:/x rw\n")
    place.monkeypatch.setattr("autopack.supervisor.filesystems._MOUNTINFO", path_in(place, "mountinfo"))


def _sqlite_file(place: Place) -> None:
    with sqlite3.connect(path_in(place, "some.db")) as database:
        database.execute(f"CREATE TABLE {VERSION_TABLE} (version_num TEXT)")
        database.execute(f"INSERT INTO {VERSION_TABLE} VALUES ('9999')")  # noqa: S608
    database.close()


def _read_only(place: Place) -> None:
    _sqlite_file(place)
    path_in(place, "some.db").chmod(0o444)


# Root may write what is read-only, unless this right is dropped.
_NO_OVERRIDE = (
    ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.geteuid() == 0 else ("env",)
)
_UPGRADE = ("registry", "upgrade", "--database-url", "sqlite:///some.db")

ROWS = [
    Row("DATABASE_URL missing", REFUSED, "no database is given. Give postgresql://host:5432/database", sqlite=False),
    *_database("mysql://", f"mysql://u:{SECRET}@h/d", "'mysql' databases are not supported"),
    *_database("bad port", f"postgresql://u:{SECRET}@h:54x2/d", "the port is not a number from 1 to 65535"),
    *_database("% unescaped", f"postgresql://u:{SECRET}%@h/d", _UNESCAPED),
    *_database("@ unescaped", f"postgresql://u:{SECRET}@x@h/d", _UNESCAPED),
    *_database("no address", f"u:{SECRET}@h/d", "this is not a database address"),
    *_database("nobody there", f"postgresql://u:{SECRET}@127.0.0.1:9/d", "does not answer"),
    *_database("SQLite shared", "sqlite:///shared.db", "Parallel runs require Postgres"),
    Row(
        "wrong password",
        REFUSED,
        "the user name or password is wrong",
        env={"DATABASE_URL": "{url}"},
        sqlite=False,
        given=_wrong_password,
    ),
    Row(
        "SQLite on a network file system",
        REFUSED,
        "network file system (nfs4), where SQLite files get corrupted. Use Postgres",
        given=_network_file_system,
    ),
    Row(
        "read-only SQLite",
        REFUSED,
        "cannot be written (read-only)",
        _UPGRADE,
        alone=True,
        given=_read_only,
        within=_NO_OVERRIDE,
    ),
    Row("newer schema", REFUSED, "version 9999, which is newer than", _UPGRADE, alone=True, given=_sqlite_file),
    Row("non-integer env", REFUSED, "'many' is not a valid integer", env={"AUTOPACK_SUPERVISE_WORKERS": "many"}),
    Row("non-integer env", REFUSED, "valid integer", env={"AUTOPACK_SUPERVISE_MAX_RETRIES": "many"}),
    Row("non-integer env", REFUSED, "is not a duration", env={"AUTOPACK_SUPERVISE_TIMEOUT": "many"}),
    Row("unknown flag", REFUSED, "No such option", (f"--databse-url=postgresql://u:{SECRET}@h/d",)),
    Row("unknown command", REFUSED, "No such command 'frobnicate'", ("frobnicate",), alone=True),
    Row(
        "closed stdout pipe",
        REFUSED,
        "standard output was closed",
        ("worktrees", "list", "--source-repo", "repo"),
        alone=True,
        unread=True,
    ),
]
