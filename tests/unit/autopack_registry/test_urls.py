"""Database addresses: refused with the reason, and never shown with a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack.registry.urls import check_database_url, sqlite_url

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no database is given"),
        ("", "no database is given"),
        (f"user:{SECRET}@host/db", "not a database address"),
        (f"mysql://user:{SECRET}@host/db", "'mysql' databases are not supported"),
        (f"{SECRET}://user@host/db", "databases are not supported"),
        (f"postgresql://user:{SECRET}@host:port/db", "the port is not a number"),
        (f"postgresql://user:{SECRET}@host:0/db", "the port is not a number"),
        (f"postgresql://user:{SECRET}@host:70000/db", "the port is not a number"),
        (f"postgresql://user:{SECRET}@x@host/db", "unescaped special character"),
        (f"postgresql://user:{SECRET}/x@host/db", "unescaped special character"),
        (f"postgresql://user:{SECRET}#x@host/db", "unescaped special character"),
        (f"postgresql://user:{SECRET}%@host/db", "unescaped special character"),
        (f"postgresql://user:{SECRET}%zz@host/db", "unescaped special character"),
        (f"postgresql://user:{SECRET}@host/db\n", "not a database address"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://relative.db", "names no file"),
    ],
)
def test_a_bad_address_is_refused_with_the_fix_and_without_the_secret(text: str | None, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        check_database_url(text)
    assert caught.value.field == "database_url"
    assert caught.value.fix
    if not str(text).startswith(SECRET):
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://host/db",
        "postgres://user:p%40ss%25@host:5432/db",
        "postgresql+psycopg2://user@host/db?sslmode=require",
        "postgresql:///db?host=/var/run/postgresql",
        "postgresql://user:secret@[::1]:5432/db",
    ],
)
def test_good_addresses_of_postgres_are_taken(text: str) -> None:
    url = check_database_url(text)
    assert url.dialect == "postgresql"
    assert url.for_driver.startswith("postgresql+psycopg2://")


def test_no_form_of_printing_an_address_shows_its_password() -> None:
    url = check_database_url("postgresql://user:hunter%402@host:5432/db?password=hunter@2")
    for shown in (str(url), repr(url), url.without_secret("could not log in with hunter@2 (hunter%402)")):
        assert "hunter" not in shown


def test_the_key_names_the_database_and_not_the_user() -> None:
    first, second = (check_database_url(f"postgresql://{user}@host:5432/db") for user in ("a:x", "b:y"))
    other = check_database_url("postgresql://a:x@host:5432/other")
    assert first.key == second.key != other.key
    assert first.key == check_database_url("postgresql://host/db").key


def test_sqlite_paths_become_absolute(tmp_path: Path) -> None:
    assert check_database_url(f"sqlite:////{tmp_path}/x.db".replace("////", "///", 1)).path == tmp_path / "x.db"
    assert check_database_url(sqlite_url(tmp_path / "y.db").text).path == tmp_path / "y.db"
