"""Notes on their way to the registry: in memory, then in the database; on disk for as long as that is away.

One thread writes to the database and another to the disk, so that neither is ever waited for by a reconcile, nor the
disk for a database that hangs: what waits is on disk at once, also if this process is killed meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from typing import Any

from autopack.errors import AutopackError
from autopack.registry.spill import Event, Spill
from autopack_operator.adapters.registry.writing import Recorder, write
from autopack_operator.domain.registry_rows import batch_event, run_event
from autopack_operator.domain.views import BatchView, RunView

log = logging.getLogger(__name__)

AT_ONCE = 500
MAX_IN_MEMORY = 20_000
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
RECALL_SECONDS = 5.0
GATHER_SECONDS = 0.2
"""Notes of so long are written in one transaction."""

HANGS_SECONDS = 0.5
"""A database that takes longer may never answer: what it was given is kept on disk as well."""

View = RunView | BatchView


class Outcome(Enum):
    """Where the notes are after an attempt to write them."""

    WRITTEN = auto()
    WRITTEN_ANEW = auto()
    KEPT_ON_DISK = auto()
    TAKEN_BY_NOBODY = auto()


class RegistryHistory:
    """Implements ports.history.History. Only `run` and `close` touch the disk or the database."""

    def __init__(self, registry: Recorder, spill: Spill, installation: str) -> None:
        self._registry, self._spill, self._installation = registry, spill, installation
        self._waiting: dict[tuple[str, str], View] = {}
        self._written: dict[str, str] = {}
        self._on_disk: dict[str, str] = {}
        self._dropped = 0
        self._has_tables = False
        self._changed = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="registry")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="registry-disk")
        self.problem: str | None = None
        """Why the registry cannot be written at present; None when all is well."""

    async def recall(self) -> None:
        """Learn what earlier processes wrote, so that a restart does not write it all again.

        Nothing is lost without it: a database that is away, or slow, is not waited for.
        """
        loop = asyncio.get_running_loop()
        with contextlib.suppress(AutopackError, TimeoutError):
            known = await asyncio.wait_for(loop.run_in_executor(self._thread, self._registry.versions), RECALL_SECONDS)
            self._written |= {uid: str(version) for uid, version in known.items()}

    def wants(self, view: View) -> bool:
        """Whether this state of it is neither written yet nor safe on disk."""
        return view.resource_version not in {self._written.get(view.uid), self._on_disk.get(view.uid)}

    def note(self, view: View) -> None:
        """See ports.history.History."""
        if not self.wants(view):
            return
        if len(self._waiting) >= MAX_IN_MEMORY:
            self._dropped += 1
            return
        self._waiting[view.uid, view.resource_version] = view
        self._changed.set()

    def note_all(self, views: Iterable[View]) -> None:
        """See ports.history.History."""
        seen = set()
        for view in views:
            seen.add(view.uid)
            self.note(view)
        self._written = {uid: version for uid, version in self._written.items() if uid in seen}

    @property
    def depth(self) -> int:
        """Notes in memory."""
        return len(self._waiting)

    async def run(self) -> None:
        """Write until canceled; what earlier starts left goes first."""
        pause = FIRST_PAUSE
        await self._round()
        while True:
            if self.problem is None:
                pause = FIRST_PAUSE
                await self._changed.wait()
                await asyncio.sleep(GATHER_SECONDS)
            else:
                await self._keep_until(asyncio.create_task(asyncio.sleep(pause * random.uniform(0.8, 1.2))))  # noqa: S311
                pause = min(LONGEST_PAUSE, pause * 2)
            await self._round()

    async def close(self, seconds: float = 5.0) -> None:
        """Write what waits, or put it on disk, within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._round(), seconds)
        for thread in (self._thread, self._disk):
            thread.shutdown(wait=False, cancel_futures=True)

    async def _round(self) -> None:
        """One attempt at all that waits. `problem` says how it went."""
        self._changed.clear()
        views, self._waiting = self._waiting, {}
        arriving, self._on_disk = self._on_disk, {}
        loop = asyncio.get_running_loop()
        delivery = loop.run_in_executor(self._thread, self._deliver, list(views.values()))
        if not (await asyncio.wait({delivery}, timeout=HANGS_SECONDS))[0]:
            await self._keep(views)
            await self._keep_until(delivery)
            # The next attempt sends what is on disk.
            self._changed.set()
        outcome = await delivery
        if outcome is Outcome.TAKEN_BY_NOBODY:
            # What came meanwhile stands beside them.
            self._waiting = views | self._waiting
        if outcome is Outcome.WRITTEN_ANEW:
            # The tables were lost, and with them all rows: the next resync brings everything once more.
            self._written.clear()
        if outcome is Outcome.KEPT_ON_DISK:
            arriving |= dict(views.keys())
        if self.problem is None:
            self._written |= arriving | dict(views.keys())
        else:
            self._on_disk = arriving | self._on_disk
        if self._dropped:
            log.warning("registry: %d notes were dropped; the next resync brings the newest states", self._dropped)
            self._dropped = 0

    async def _keep_until(self, over: asyncio.Future[Any]) -> None:
        """Put on disk what comes until then."""
        try:
            while not over.done():
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({over, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if not over.done():
                    self._changed.clear()
                    views, self._waiting = self._waiting, {}
                    if not await self._keep(views):
                        self._waiting = views | self._waiting
        finally:
            over.cancel()

    async def _keep(self, views: dict[tuple[str, str], View]) -> bool:
        """Whether the disk has taken them."""
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(self._disk, lambda: self._kept(list(self._events(views.values()))))
        if kept:
            self._on_disk |= dict(views.keys())
        return kept

    def _deliver(self, views: list[View]) -> Outcome:
        """In the thread."""
        events = list(self._events(views))
        again = False
        try:
            if not self._has_tables:
                # Also with nothing to write: the dashboard reads them.
                self._registry.upgrade()
                self._has_tables = True
            for chunk in self._spill.chunks(AT_ONCE):
                again |= write(self._registry, chunk)
            self._spill.clear()
            for start in range(0, len(events), AT_ONCE):
                again |= write(self._registry, events[start : start + AT_ONCE])
        except (AutopackError, OSError) as error:
            if self.problem is None:
                log.warning("the registry cannot be written for now; runs go on, rows wait on disk: %s", error)
            self.problem = str(error)
            return Outcome.KEPT_ON_DISK if self._kept(events) else Outcome.TAKEN_BY_NOBODY
        except Exception:
            log.exception("the registry cannot be written: a defect")
            self.problem = "a defect, see the log"
            return Outcome.TAKEN_BY_NOBODY
        if self.problem is not None:
            log.info("the registry is written again; all that waited has arrived")
        self.problem = None
        return Outcome.WRITTEN_ANEW if again else Outcome.WRITTEN

    def _events(self, views: Iterable[View]) -> Iterable[Event]:
        for view in views:
            try:
                if isinstance(view, RunView):
                    yield run_event(view, self._installation)
                else:
                    yield batch_event(view, self._installation)
            except Exception:
                # A row is worth less than the others that wait behind it.
                log.exception("%s: no row for the registry could be made", view.name)

    def _kept(self, events: list[Event]) -> bool:
        try:
            return not events or self._spill.add(events)
        except OSError as error:
            log.warning("registry: %s cannot be written (%s); rows wait in memory", self._spill.path, error.strerror)
            return False
