"""What drivers say, turned into one sentence with the fix and without a secret."""

from __future__ import annotations

import re

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from autopack.errors import AutopackError, InvalidInput, printable

from .urls import DatabaseUrl

_REFUSED = (
    (r"password authentication failed", "the user name or password is wrong", "Correct it in the address"),
    (r"no password supplied", "the server asks for a password", "Put it into the address"),
    (r'role "[^"]*" does not exist', "the user does not exist", "Create the user, or correct the address"),
    (
        r'database "[^"]*" does not exist',
        "the database does not exist",
        "Create it with createdb, or correct the address",
    ),
    (r"could not translate host name", "the host name is unknown", "Correct the host in the address"),
)

_PASSES = (
    (r"read-only transaction", "cannot be written at present (read-only)", "Make it writable again"),
    (r"No space left on device|could not extend file", "has no space left", "Free disk space on its server"),
)


class DatabaseUnreachable(AutopackError):  # noqa: N818 - says a state
    """The database does not answer, is busy, full or read-only; what could not be written waits on disk."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__("DatabaseUnreachable", message, fix)
        self.args = (message, fix)


class RowRefused(AutopackError):  # noqa: N818 - says a state
    """The database is well, and will never take one of these rows for what is in it."""

    def __init__(self, message: str) -> None:
        super().__init__("RowRefused", message, "Leave that row out")
        self.args = (message,)


def explain(error: SQLAlchemyError | OSError, url: DatabaseUrl) -> AutopackError:
    """Return the error for people.

    RowRefused when the row is at fault, InvalidInput when the address or the file is, else DatabaseUnreachable.
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = url.without_secret(str(cause)).strip()
    where = printable(str(url), 160)
    if _is_about_the_row(error):
        return RowRefused(f"the database {where} refuses a row: {printable(' '.join(said.split()), 200)}")
    if url.dialect == "sqlite":
        return _explain_sqlite(said, where)
    for pattern, what, fix in _REFUSED:
        if re.search(pattern, said):
            return InvalidInput("database_url", f"{where}: {what}", fix)
    for pattern, what, fix in _PASSES:
        if re.search(pattern, said):
            return DatabaseUnreachable(f"the database {where} {what}", fix)
    detail = printable(" ".join(said.split()), 200)
    return DatabaseUnreachable(f"the database {where} does not answer: {detail}", "Start it, or correct the address")


def _is_about_the_row(error: SQLAlchemyError | OSError) -> bool:
    """Whether it is what the row holds, rather than the state that the database is in."""
    unfit = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return unfit or isinstance(error, (DataError, IntegrityError))


def _explain_sqlite(said: str, where: str) -> AutopackError:
    if "locked" in said or "busy" in said:
        return DatabaseUnreachable(f"{where} is in use by another process", "Wait for it, or use Postgres")
    if "readonly" in said or "read-only" in said.lower():
        return InvalidInput(
            "database_url", f"{where} cannot be written (read-only)", "Make the file and its folder writable"
        )
    if "unable to open" in said:
        return InvalidInput("database_url", f"{where} cannot be opened", "Create its folder, and make it writable")
    if "not a database" in said or "malformed" in said:
        return InvalidInput(
            "database_url", f"{where} is not a SQLite database", "Give another path, or remove the file"
        )
    return DatabaseUnreachable(f"{where}: {printable(said, 200)}", "Free disk space, or choose another place")
