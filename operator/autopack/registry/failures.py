"""What drivers say, turned into one sentence with the fix and without a secret."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autopack.errors import AutopackError, InvalidInput, printable

from .urls import DatabaseUrl

_REFUSED = (
    (r"password authentication failed", "the user name or password is wrong", "Correct it in the address"),
    (r"no password supplied", "the server asks for a password", "Put it into the address"),
    (r'role "[^"]*" does not exist', "the user does not exist", "Create the user, or correct the address"),
    (
        r'database "[^"]*" does not exist',
        "the database does not exist",
        "Make it with createdb, or correct the address",
    ),
    (r"could not translate host name", "the host name is unknown", "Correct the host in the address"),
)


class DatabaseUnreachable(AutopackError):  # noqa: N818 - says a state
    """The database does not answer, or is busy; what could not be written waits on disk."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__("DatabaseUnreachable", message, fix)
        self.args = (message, fix)


def explain(error: SQLAlchemyError | OSError, url: DatabaseUrl) -> AutopackError:
    """Return the error for people: InvalidInput when the address or the file is at fault, else DatabaseUnreachable."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = url.without_secret(str(cause)).strip()
    where = printable(str(url), 160)
    if url.dialect == "sqlite":
        return _explain_sqlite(said, where)
    for pattern, what, fix in _REFUSED:
        if re.search(pattern, said):
            return InvalidInput("database_url", f"{where}: {what}", fix)
    detail = printable(" ".join(said.split()), 200)
    return DatabaseUnreachable(f"the database {where} does not answer: {detail}", "Start it, or correct the address")


def _explain_sqlite(said: str, where: str) -> AutopackError:
    if "locked" in said or "busy" in said:
        return DatabaseUnreachable(f"{where} is in use by another process", "Wait for it, or use Postgres")
    if "readonly" in said or "read-only" in said.lower():
        return InvalidInput("database_url", f"{where} cannot be written (read-only)", "Make file and folder writable")
    if "unable to open" in said:
        return InvalidInput("database_url", f"{where} cannot be opened", "Make its folder, writable")
    if "not a database" in said or "malformed" in said:
        return InvalidInput(
            "database_url", f"{where} is not a SQLite database", "Give another path, or remove the file"
        )
    return DatabaseUnreachable(f"{where}: {printable(said, 200)}", "Free disk space, or choose another place")
