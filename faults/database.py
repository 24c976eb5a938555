"""A lane's own Postgres on a small file system of its own, and what can happen to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
from scripts.postgres import PostgresServer

from faults.plan import Kind
from faults.rows import Rows

JsonDict = dict[str, Any]

MEBIBYTES = 80
OUTAGE_SECONDS = 2.5
"""At least so long, so that the operator meets it; and until the workload has come to its end."""

START_SECONDS = 20.0
CONNECT_SECONDS = 2
SEGMENTS = ("--wal-segsize=1",)
SETTINGS = "min_wal_size=2MB\nmax_wal_size=8MB\nautovacuum=off\n"
ONE_ROW_A_PAGE = "fillfactor=10"
"""Every row needs a new page of the file: a full file system is met at once."""

TABLES = {"runs": "registry_runs", "events": "registry_events", "batches": "registry_batches"}


class Database:
    """Methods block. `fail` and `heal` wait for each other."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="autopack-faults-postgres-"))
        self._server = PostgresServer(self._folder / "server")
        self._filler = self._folder / "filler"
        self._failed: Kind | None = None
        self._since = 0.0
        self._one_at_a_time = threading.Lock()

    @property
    def url(self) -> str:
        """DATABASE_URL of the lane's operators."""
        return self._server.url()

    @property
    def away(self) -> bool:
        """Whether it has failed, and was not healed since."""
        return self._failed is not None

    def open(self) -> None:
        """Mount and start. Raises CalledProcessError when nothing may be mounted: that needs root."""
        size = f"size={MEBIBYTES}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "autopack-faults", self._folder], check=True)
        (self._folder / "server").mkdir()
        self._server.create(*SEGMENTS, settings=SETTINGS)
        self._do("CREATE TABLE probe (what text)", f"ALTER TABLE probe SET ({ONE_ROW_A_PAGE})")

    def close(self) -> None:
        """Stop and unmount; nothing is left."""
        with suppress(OSError):
            # Frozen ones do not stop.
            self._signal(signal.SIGCONT)
        with suppress(RuntimeError):
            self._server.stop()
        subprocess.run(["umount", "--lazy", self._folder], check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def fail(self, kind: Kind) -> None:
        """Take it away until `heal`."""
        with self._one_at_a_time:
            self._fail(kind)

    def _fail(self, kind: Kind) -> None:
        self._failed, self._since = kind, time.monotonic()
        match kind:
            case Kind.DATABASE_KILLED:
                os.kill(self._server.pid, signal.SIGKILL)
            case Kind.DATABASE_SLOW:
                self._signal(signal.SIGSTOP)
            case Kind.DATABASE_READ_ONLY:
                self._set_read_only("SET default_transaction_read_only = on")
            case Kind.DATABASE_FULL:
                self._do(*(f"ALTER TABLE IF EXISTS {table} SET ({ONE_ROW_A_PAGE})" for table in TABLES.values()))
                self._fill()
            case _:
                raise ValueError(f"{kind} is not of a database")

    def heal(self) -> None:
        """Give it back when it has been away for long enough. Raises AssertionError when it had not been away."""
        with self._one_at_a_time:
            if self._failed is not None:
                self._heal()

    def _heal(self) -> None:
        time.sleep(max(0.0, self._since + OUTAGE_SECONDS - time.monotonic()))
        if self._takes_a_row():
            raise AssertionError(f"{self._failed}: the database took a row all the same")
        self._give_back()
        if not self._takes_a_row():
            raise AssertionError(f"{self._failed}: the database is not back")

    def rows(self, uids: Collection[str]) -> Rows:
        """Those of these runs and batches."""
        return Rows(**{name: self._rows(table, uids) for name, table in TABLES.items()})

    def _rows(self, table: str, uids: Collection[str]) -> list[JsonDict]:
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            query = f"SELECT row_to_json({table}) FROM {table} WHERE scope = ANY(%s)"  # noqa: S608 - a name of ours
            try:
                cursor.execute(query, (list(uids),))
            except psycopg2.errors.UndefinedTable:
                # The operator has not come to make them yet.
                return []
            return [row for (row,) in cursor.fetchall()]

    def _give_back(self) -> None:
        match self._failed:
            case Kind.DATABASE_SLOW:
                self._signal(signal.SIGCONT)
            case Kind.DATABASE_READ_ONLY:
                self._set_read_only("RESET default_transaction_read_only")
            case Kind.DATABASE_FULL:
                self._filler.unlink()
        if self._failed in {Kind.DATABASE_KILLED, Kind.DATABASE_FULL}:
            self._start()
        self._failed = None

    def _start(self) -> None:
        """Unless it runs. What a killed server has left may take a moment to go."""
        deadline = time.monotonic() + START_SECONDS
        while not self._takes_a_row():
            with suppress(RuntimeError):
                self._server.start()
            if time.monotonic() > deadline:
                raise TimeoutError("Postgres does not start again")

    def _fill(self) -> None:
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(2**16))

    def _set_read_only(self, setting: str) -> None:
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = USER"
        )
        self._do(f"ALTER SYSTEM {setting}", "SELECT pg_reload_conf()", others)

    def _takes_a_row(self) -> bool:
        try:
            self._do("INSERT INTO probe VALUES (repeat('x', 2000))")
        except psycopg2.Error:
            return False
        return True

    def _do(self, *statements: str) -> None:
        """Each in a transaction of its own."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _connect(self) -> Any:  # noqa: ANN401 - the driver has no types
        connection = psycopg2.connect(self.url, connect_timeout=CONNECT_SECONDS)
        connection.autocommit = True
        return connection

    def _signal(self, number: int) -> None:
        """To the server's first process and its children."""
        first = self._server.pid
        for pid in (first, *children(first)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def children(parent: int) -> Iterable[int]:
    """Processes whose parent is that one."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name before it, in brackets, may hold anything.
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(status.parent.name)
