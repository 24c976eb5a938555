"""Signals that wait until they are asked for."""

from __future__ import annotations

import signal

STOP = frozenset({signal.SIGTERM, signal.SIGINT})


def hold_signals() -> None:
    """Block the signals to stop, so that they cut off nothing.

    A container's first process loses a signal that it neither blocks nor handles: call this before anything slow.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
