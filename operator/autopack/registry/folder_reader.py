"""The rows of one folder of runs, whatever database they were sent to, for whoever has none of all runs."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from .outbox import Outbox
from .reader import RegistryReader
from .store import Registry
from .urls import sqlite_url

_PAUSE = 0.5


class FolderReader(RegistryReader):
    """Reads a copy of its own of what supervisors wrote down on disk, and follows that. Nothing in the folder changes.

    The copy is a temporary file, gone when closed. Methods raise AutopackError, as those of RegistryReader.
    """

    def __init__(self, runs_dir: Path) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="autopack-rows-")
        url = sqlite_url(Path(self._scratch.name) / "registry.db")
        super().__init__(url, None)
        self._outbox = Outbox(runs_dir, "nowhere")
        self._copy = Registry(url)
        self._copy.upgrade()
        self._lock = threading.Lock()
        self._ends: dict[str, int] = {}
        self._next = 0.0

    def close(self) -> None:
        """Close all connections and remove the copy."""
        super().close()
        self._copy.close()
        self._scratch.cleanup()

    def _all(self, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - selects of any columns
        with self._lock:
            if time.monotonic() >= self._next:
                self._follow()
                self._next = time.monotonic() + _PAUSE
        return super()._all(query)

    def _follow(self) -> None:
        added = [self._outbox.since(name, self._ends.get(name, 0)) for name in self._outbox.names()]
        found = [one for one in added if one is not None]
        if found:
            self._copy.record(event for one in found for event in one.events)
            self._ends |= {one.name: one.end for one in found}
