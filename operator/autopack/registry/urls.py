"""Database addresses: checked before a driver sees them, and never shown with their password. Imports no driver."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from autopack.errors import InvalidInput, printable
from autopack.redaction import redact_url

Dialect = Literal["postgresql", "sqlite"]

_DIALECTS: dict[str, Dialect] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "postgresql+psycopg2": "postgresql",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPES = "In user name and password write @ as %40, % as %25, / as %2F, # as %23, ? as %3F, : as %3A"
_EXAMPLE = "Give postgresql://host:5432/database, or use --per-run-sqlite"


@dataclass(frozen=True)
class DatabaseUrl:
    """A checked address. `text` is what was given and holds the password; printing the object does not show it."""

    text: str = field(repr=False)
    dialect: Dialect
    path: Path | None = None

    def __str__(self) -> str:
        return redact_url(self.text)

    @property
    def for_driver(self) -> str:
        """The address with the scheme that SQLAlchemy knows."""
        if self.path is not None:
            return f"sqlite:///{self.path}"
        return f"postgresql+psycopg2://{self.text.split('://', 1)[1]}"

    @property
    def key(self) -> str:
        """A file name for the database behind the address, whoever the user is and whatever the password."""
        if self.path is not None:
            place = str(self.path)
        else:
            url = urlsplit(self.text)
            place = f"{url.hostname or ''}:{url.port or 5432}{url.path}?{url.query}"
        return f"{self.dialect}-{hashlib.sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"

    def without_secret(self, text: str) -> str:
        """Return `text` with this address's password, and every other credential in a URL, replaced by `***`."""
        password = None if self.path is not None else urlsplit(self.text).password
        for secret in {password, unquote(password)} if password else ():
            text = text.replace(secret, "***")
        return redact_url(text)


def sqlite_url(path: Path) -> DatabaseUrl:
    """Return the address of a SQLite file."""
    absolute = path.absolute()
    return DatabaseUrl(f"sqlite:///{absolute}", "sqlite", absolute)


def check_database_url(text: str | None, name: str = "database_url") -> DatabaseUrl:
    """Return the checked address; raise InvalidInput (field `name`) that never repeats a credential."""
    if not text:
        raise InvalidInput(name, "no database is given", _EXAMPLE)
    scheme, separator, rest = text.partition("://")
    if not text.isprintable() or not separator or not _SCHEME.fullmatch(scheme):
        raise InvalidInput(name, "this is not a database address", _EXAMPLE)
    dialect = _DIALECTS.get(scheme.lower())
    if dialect is None:
        raise InvalidInput(name, f"'{scheme}' databases are not supported", _EXAMPLE)
    if dialect == "sqlite":
        return _check_sqlite(text, rest, name)
    _check_postgres(text, rest, name)
    return DatabaseUrl(text, dialect)


def _check_sqlite(text: str, rest: str, name: str) -> DatabaseUrl:
    path = rest.partition("?")[0].removeprefix("/")
    if not rest.startswith("/") or path in {"", ":memory:"}:
        shown = printable(redact_url(text), 120)
        raise InvalidInput(name, f"'{shown}' names no file", "Give sqlite:////absolute/path/of/a/file.db")
    return DatabaseUrl(text, "sqlite", Path(path).absolute())


def _check_postgres(text: str, rest: str, name: str) -> None:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, _, _ = authority.rpartition("@")
    after = rest[len(authority) :].partition("?")[0]
    if "@" in userinfo or "@" in after or "#" in rest or _BAD_ESCAPE.search(userinfo):
        raise InvalidInput(name, "the address has an unescaped special character", _ESCAPES)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        port = 0
    if port is not None and port <= 0:
        # What stands where the port should be may be a piece of the password: it is not shown.
        raise InvalidInput(name, "the port is not a number from 1 to 65535", f"{_EXAMPLE}. {_ESCAPES}")
