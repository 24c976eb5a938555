"""The books with their journal: every change is in memory at once, and on the disk when its `Kept` is awaited."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from autopack.log import log

from . import files
from .amounts import Amount
from .frames import line
from .grants import Grant

ROLL_BYTES = 8 << 20
"""A longer journal is started again from a summary."""
KEEP_DAYS = 100
"""How long what was spent is kept when nobody asks for it any more."""
_DAY = 86400


class Journal:
    """The one writer. Wait for what it returns under a shield: others wait for the same.

    When it cannot write, or has been followed by another leader, `failed` is called, once."""

    def __init__(
        self, folder: Path, at_least: int, failed: Callable[[Exception], None], now: Callable[[], float] = time.time
    ) -> None:
        """Begin a term: reads and writes files. What was reserved by the leader before counts whole."""
        self._folder, self._failed, self._now = folder, failed, now
        opened = files.begin(folder, at_least, self._today() - KEEP_DAYS)
        self._file, self.books = opened.file, opened.books
        if opened.dropped:
            log("warning", "the end of the journal was not whole", dropped_bytes=opened.dropped)
        self._pending: list[bytes] = []
        self._kept: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._numbers = itertools.count(1)
        self._broken: Exception | None = None
        self.changed = asyncio.Event()
        """Set (and replaced by a new one) when something was settled or granted."""

    @property
    def term(self) -> int:
        """The term that this journal is of."""
        return self._file.term

    def settle_lost(self) -> None:
        """Count what the leader before had under way, whole: nobody knows what became of it."""
        for identity, reservation in list(self.books.open.items()):
            self.settle(identity, reservation.amount._replace(estimated=1))

    def grant(self, grant: Grant) -> asyncio.Future[None]:
        """Let a pod ask."""
        return self._write({"kind": "grant", "grant": grant.document(), "day": self._today()})

    def revoke(self, uid: str, attempt: int) -> asyncio.Future[None]:
        """Let the pod of an attempt ask no more."""
        return self._write({"kind": "revoke", "uid": uid, "attempt": attempt, "day": self._today()})

    def reserve(self, grant: Grant, model: str, amount: Amount) -> tuple[str, asyncio.Future[None]]:
        """Reserve for a request; it may go out when the future is done."""
        identity = f"{self.term}-{next(self._numbers)}"
        record = {
            "kind": "reserve",
            "id": identity,
            "uid": grant.uid,
            "model": model,
            "scopes": list(grant.scopes),
            "amount": amount.document(),
        }
        return identity, self._write(record)

    def settle(self, identity: str, amount: Amount) -> None:
        """Say what a request used."""
        self._write({"kind": "settle", "id": identity, "amount": amount.document(), "day": self._today()})

    def exhausted(self, uid: str, scope: str) -> None:
        """Note that a request of a run was refused."""
        run = self.books.runs.get(uid)
        if run is None or run.exhausted != scope:
            self._write({"kind": "exhausted", "uid": uid, "scope": scope, "day": self._today()})

    async def kept(self) -> None:
        """Wait until all that was said so far is on the disk."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
        if self._broken is not None:
            raise self._broken

    async def close(self) -> None:
        """Put everything on the disk and end."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
        self._thread.shutdown()
        self._file.close()

    def _write(self, record: dict[str, Any]) -> asyncio.Future[None]:
        if self._broken is not None:
            raise self._broken
        self.books.apply(record)
        self._pending.append(line(record))
        if self._kept is None:
            self._kept = asyncio.get_running_loop().create_future()
            # Nobody need wait for it.
            self._kept.add_done_callback(lambda future: future.exception())
        kept = self._kept
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._commit())
        if record["kind"] != "reserve":
            self.changed.set()
            self.changed = asyncio.Event()
        return kept

    async def _commit(self) -> None:
        """Write what has come together while the disk was busy, as one."""
        loop = asyncio.get_running_loop()
        while self._pending:
            data, kept = b"".join(self._pending), self._kept
            self._pending, self._kept = [], None
            try:
                await loop.run_in_executor(self._thread, self._file.append, data)
                if self._file.size > ROLL_BYTES and not self._pending:
                    await loop.run_in_executor(self._thread, self._roll)
            except (OSError, files.FencedError) as error:
                self._break(error, kept)
                return
            if kept is not None and not kept.done():
                kept.set_result(None)

    def _roll(self) -> None:
        old = self._file
        self._file = files.roll(self._folder, old.term, self._today() - KEEP_DAYS).file
        old.close()

    def _break(self, error: Exception, kept: asyncio.Future[None] | None) -> None:
        self._broken = error
        for future in (kept, self._kept):
            if future is not None and not future.done():
                future.set_exception(error)
        self._pending, self._kept = [], None
        self._failed(error)

    def _today(self) -> int:
        return int(self._now() // _DAY)
