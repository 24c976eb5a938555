"""Sending what waits in the outbox, in a thread of its own: runs never wait for a database."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from autopack.errors import AutopackError
from autopack.failpoints import hit

from .events import RunEvent
from .outbox import Outbox

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


class Recorder(Protocol):
    """The port to a database: `Registry` is the one there is."""

    def record(self, events: Iterable[RunEvent]) -> None:
        """Write events; doing so again changes nothing. Raises AutopackError, and nothing is written then."""
        ...


RegistryOf = Callable[[str], Recorder | None]
"""Gives the registry, with its tables, for the rows of a run (by its file's name); None if they go nowhere."""


class Delivery:
    """Sends the events of the outbox to their registry until closed, and tries again for as long as it takes.

    `notify` may be called from any thread. What cannot be sent before the end stays on disk for the next start.
    """

    def __init__(self, outbox: Outbox, registry_of: RegistryOf) -> None:
        self._outbox = outbox
        self._registry_of = registry_of
        self._changed = threading.Condition()
        self._dirty: dict[str, None] = {}
        self._sending: str | None = None
        self._closing = False
        self._stopped = False
        self._last_error: AutopackError | None = None
        self._thread = threading.Thread(target=self._send_forever, name="registry", daemon=True)

    @property
    def last_error(self) -> AutopackError | None:
        """Why the last attempt failed; None when it went well."""
        return self._last_error

    def start(self) -> None:
        """Begin, with everything that earlier starts have left."""
        for name in self._outbox.names():
            self.notify(name)
        self._thread.start()

    def notify(self, name: str) -> None:
        """Say that a run's file has grown."""
        with self._changed:
            self._dirty[name] = None
            self._changed.notify_all()

    def close(self, patience: float) -> int:
        """Send what is left, for at most `patience` seconds, and stop; return how many runs still have rows to send."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(self._is_idle, timeout=patience)
            left = len(self._dirty.keys() | {self._sending} - {None})
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=1)
        return left

    def _is_idle(self) -> bool:
        return not self._dirty and self._sending is None

    def _send_forever(self) -> None:
        pause = _FIRST_PAUSE
        while (name := self._take()) is not None:
            error = self._try_to_send(name)
            with self._changed:
                self._sending = None
                if error is None:
                    pause = _FIRST_PAUSE
                else:
                    self._dirty.setdefault(name, None)
                    self._rest(pause)
                    pause = min(_LONGEST_PAUSE, pause * 2)
                self._changed.notify_all()

    def _try_to_send(self, name: str) -> AutopackError | None:
        error = None
        try:
            send(self._outbox, name, self._registry_of)
        except AutopackError as failure:
            error = failure
            if self._last_error is None:
                logger.warning("the registry cannot be written for now; its rows wait on disk: %s", error)
        self._last_error = error
        return error

    def _rest(self, pause: float) -> None:
        """Wait before the next attempt; whoever closes us must not wait for the end of a long pause."""
        was_closing = self._closing
        length = _FIRST_PAUSE if was_closing else pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries
        self._changed.wait_for(lambda: self._stopped or self._closing != was_closing, timeout=length)

    def _take(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._dirty or self._closing)
            if self._stopped or not self._dirty:
                return None
            self._sending = next(iter(self._dirty))
            del self._dirty[self._sending]
            return self._sending


def send(outbox: Outbox, name: str, registry_of: RegistryOf) -> int:
    """Send what waits of one run and return how many events that were. Raises AutopackError; nothing is lost then."""
    waiting = outbox.waiting(name)
    if waiting is None:
        return 0
    registry = registry_of(name)
    if registry is None:
        return 0
    registry.record(waiting.events)
    hit("registry.after_rows")
    outbox.note_sent(name, waiting.end)
    return len(waiting.events)
