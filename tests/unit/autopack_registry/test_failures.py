"""What drivers say becomes one sentence with the fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from autopack.errors import InvalidInput
from autopack.registry.failures import DatabaseUnreachable, RowRefused, explain
from autopack.registry.urls import check_database_url, sqlite_url

POSTGRES = check_database_url("postgresql://user:hunter2@host/db")


def said(text: str) -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('FATAL:  password authentication failed for user "user" hunter2', "user name or password is wrong"),
        ("fe_sendauth: no password supplied", "asks for a password"),
        ('FATAL:  role "user" does not exist', "the user does not exist"),
        ('FATAL:  database "db" does not exist', "the database does not exist"),
        ('could not translate host name "host" to address', "the host name is unknown"),
    ],
)
def test_what_the_user_can_correct_is_bad_input(text: str, message: str) -> None:
    error = explain(said(text), POSTGRES)
    assert isinstance(error, InvalidInput)
    assert message in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("text", ["connection refused\n\tIs the server running?", "the database system is starting up"])
def test_what_passes_is_an_unreachable_database(text: str) -> None:
    error = explain(said(text), POSTGRES)
    assert isinstance(error, DatabaseUnreachable)
    assert "\n" not in str(error)
    assert "Start it" in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cannot execute INSERT in a read-only transaction", "cannot be written at present (read-only)"),
        ('could not extend file "base/5/1": No space left on device', "has no space left"),
    ],
)
def test_what_takes_no_row_for_a_while_is_no_fault_of_the_row(text: str, message: str) -> None:
    error = explain(said(text), POSTGRES)
    assert isinstance(error, DatabaseUnreachable)
    assert message in str(error)


@pytest.mark.parametrize("kind", [DataError, IntegrityError])
def test_a_row_that_does_not_fit_is_told_from_a_database_that_is_away(kind: type[DBAPIError]) -> None:
    error = explain(kind("INSERT", {}, Exception("value too long hunter2")), POSTGRES)
    assert isinstance(error, RowRefused)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("database is locked", "in use by another process"),
        ("attempt to write a readonly database", "cannot be written (read-only)"),
        ("unable to open database file", "cannot be opened"),
        ("file is not a database", "is not a SQLite database"),
        ("database or disk is full", "Free disk space"),
    ],
)
def test_sqlites_words_are_translated(tmp_path: Path, text: str, message: str) -> None:
    shown = str(explain(said(text), sqlite_url(tmp_path / "x.db")))
    assert message in shown
    assert "database is locked" not in shown
