"""Being the active gateway, or waiting to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from autopack.errors import AutopackError
from autopack.log import log
from autopack_gateway.service.ledger.files import FencedError
from autopack_gateway.service.ledger.journal import Journal

from .claim import RENEW_EVERY
from .leases import Keeper


class Leader:
    """Claims until it has the claim, then opens the journal and keeps it. `lost` is called once, when it is lost.

    After that this process must end: what it has in memory is not true any more. The claim elects; what keeps two from
    spending is the journal, in which only the latest term can write. So a leader whose claim cannot be renewed, because
    the API server is away, goes on: nobody else can claim then either.
    """

    def __init__(self, keeper: Keeper, folder: Path, lost: Callable[[], None], every: float = RENEW_EVERY) -> None:
        self._keeper, self._folder, self._lost, self._every = keeper, folder, lost, every
        self._journal: Journal | None = None
        self._is_lost = False

    @property
    def journal(self) -> Journal | None:
        """The journal while we are the active gateway, else None."""
        return None if self._is_lost else self._journal

    async def lead(self) -> None:
        """Claim and renew until cancelled or lost."""
        while not self._is_lost:
            try:
                transitions = await self._keeper.claim()
                if transitions is None and self._journal is not None:
                    self._lose("another gateway has the claim to be the active one")
                if transitions is not None and self._journal is None:
                    await self._begin(transitions)
            except (OSError, AutopackError) as error:
                log("warning", "this gateway cannot become or stay the active one now", error=str(error))
            await asyncio.sleep(self._every)

    async def close(self) -> None:
        """Put everything on the disk, and let another one lead."""
        if self._journal is not None:
            await self._journal.close()
            await self._keeper.release()

    async def _begin(self, transitions: int) -> None:
        try:
            journal = await asyncio.to_thread(Journal, self._folder, transitions, self._broken)
        except FencedError:
            return
        journal.settle_lost()
        await journal.kept()
        self._journal = journal
        log("info", "this gateway is active", term=journal.term)

    def _broken(self, error: Exception) -> None:
        self._lose(f"the journal cannot be written: {error}")

    def _lose(self, why: str) -> None:
        if not self._is_lost:
            self._is_lost = True
            log("error", why)
            self._lost()
