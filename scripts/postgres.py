"""A real Postgres server for tests and the fault campaign: in a folder of its own, on loopback, unprivileged."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg2

USER = "autopack"
PASSWORD = "s3cr3t-pa55word"  # noqa: S105 - of a server that is gone after the test
_MISSING = "Postgres is missing: install the Debian package 'postgresql' (scripts/ensure_postgres.sh does)"


class PostgresServer:
    """A server with one superuser. `stop` and `start` keep port and data, as an outage does.

    `host` is where it listens besides loopback, for clients of `network`.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1", network: str = "127.0.0.1/32") -> None:
        self._folder = folder
        self._host, self._network = host, network
        self._data = folder / "data"
        self._bin = _programs()
        self._account = _account()
        self.port = _free_port()
        self._databases = 0

    def create(self, *options: str, settings: str = "") -> None:
        """Make the files of a new server and start it. `options` are for initdb, `settings` for postgresql.conf."""
        if self._account is not None:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        auth = ("--auth=scram-sha-256", f"--pwfile={password_file}")
        self._run("initdb", "-D", str(self._data), "-U", USER, *auth, "-E", "UTF8", "--locale=C", "--no-sync", *options)
        with (self._data / "postgresql.conf").open("a") as file:
            places = ",".join(dict.fromkeys(("127.0.0.1", self._host)))
            file.write(
                f"listen_addresses='{places}'\nport={self.port}\nunix_socket_directories=''\nfsync=off\n{settings}"
            )
        with (self._data / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {self._network} scram-sha-256\n")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self._folder / "log"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(log), "-w", "-t", "60", "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would; connections are cut."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    @property
    def pid(self) -> int:
        """Of the server's first process; it has children. Raises OSError when none was started."""
        return int((self._data / "postmaster.pid").read_text().splitlines()[0])

    def url(self, database: str = "postgres", *, password: str = PASSWORD, host: str = "127.0.0.1") -> str:
        """Return the address of a database on it."""
        return f"postgresql://{USER}:{quote(password, safe='')}@{host}:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        self._databases += 1
        name = f"test_{os.getpid()}_{self._databases}"
        connection = psycopg2.connect(self.url())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name}")
        finally:
            connection.close()
        return self.url(name)

    def _run(self, program: str, *args: str) -> None:
        account = self._account
        done = subprocess.run(
            [str(self._bin / program), *args],
            cwd=self._folder,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
            # The server keeps what it inherits: a pipe would never end.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            log = self._folder / "log"
            said = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed ({done.returncode}): {said}")


@contextlib.contextmanager
def running_server(host: str = "127.0.0.1", network: str = "127.0.0.1/32") -> Iterator[PostgresServer]:
    """Yield a new server; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="autopack-postgres-"))
    try:
        server = PostgresServer(folder, host, network)
        server.create()
        try:
            yield server
        finally:
            with contextlib.suppress(RuntimeError):
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Find the newest Postgres of the machine; Debian keeps its server programs off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise RuntimeError(_MISSING)
    return Path(on_path).resolve().parent


def _account() -> pwd.struct_passwd | None:
    """Return the account to run it as: the server refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("there is no account 'postgres' or 'nobody' to run Postgres as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
