"""What a batch shows of itself: a table that is redrawn on a terminal, a line for each change elsewhere.

A reader who goes away (a closed pipe) never ends the batch: nothing more is shown then.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from .measures import duration
from .tally import Tally

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_SHOWN_RUNS = 20


class Progress:
    """What the supervisor tells whoever shows its work, from several threads. This one shows nothing."""

    def begin(self, total: int, workers: int) -> None:
        """The batch begins."""

    def started(self, run_id: str, attempt: int) -> None:
        """An attempt at a run begins."""

    def finished(self, run_id: str, *, success: bool, skipped: bool, seconds: float, detail: str) -> None:
        """A run has ended for good."""

    def never_started(self, run_id: str) -> None:
        """The batch ends before the run's turn came."""

    def note(self, text: str) -> None:
        """Say something else, on one line."""


class PlainProgress(Progress):
    """One line for each run that begins or ends."""

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.RLock()
        self._tally = Tally()
        self._reader_gone = False

    def begin(self, total: int, workers: int) -> None:
        """Take the numbers."""
        self._tally.total, self._tally.workers = total, workers

    def started(self, run_id: str, attempt: int) -> None:
        """Say that a run begins."""
        with self._lock:
            self._tally.running[run_id] = (attempt, self._clock())
            self.show(f"{run_id}: started" + (f" (attempt {attempt})" if attempt > 1 else ""))

    def finished(self, run_id: str, *, success: bool, skipped: bool, seconds: float, detail: str) -> None:
        """Say how a run ended, and how far the batch is."""
        with self._lock:
            tally = self._tally
            tally.running.pop(run_id, None)
            if skipped:
                tally.skipped += 1
            else:
                tally.succeeded, tally.failed = tally.succeeded + success, tally.failed + (not success)
                tally.seconds += seconds
            word = "succeeded before" if skipped else f"{'succeeded' if success else 'FAILED'} in {duration(seconds)}"
            detail = f": {detail}" if detail else ""
            self.show(f"{run_id}: {word}{detail} [{tally.counts(self._clock())}]")

    def never_started(self, run_id: str) -> None:
        """Say that a run was not started."""
        with self._lock:
            self._tally.not_started += 1
            self.show(f"{run_id}: not started [{self._tally.counts(self._clock())}]")

    def note(self, text: str) -> None:
        """Show the line."""
        with self._lock:
            self.show(text)

    def show(self, line: str) -> None:
        """Print a line, if anybody still reads."""
        if self._reader_gone:
            return
        try:
            self.write(line)
        except (OSError, ValueError, SystemExit):
            # The console of a terminal that is gone wants to end the whole program.
            self._reader_gone = True

    def write(self, line: str) -> None:
        """Print a line."""
        print(line, file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class LiveProgress(PlainProgress):
    """A table of the runs under way below the lines of those that ended; for a terminal."""

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream, clock)
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream)
        self._live: Live = Live(get_renderable=self.table, console=self._console, refresh_per_second=4, transient=True)

    def started(self, run_id: str, attempt: int) -> None:
        """Put the run into the table."""
        with self._lock:
            self._tally.running[run_id] = (attempt, self._clock())

    def write(self, line: str) -> None:
        """Print a line above the table."""
        from rich.text import Text

        warns = line.startswith("warning:") or "NOT SAVED" in line
        style = "red" if "FAILED" in line else "yellow" if warns else ""
        self._console.print(Text(line, style=style), soft_wrap=True)

    def table(self) -> Table:
        """Return the table as it is now."""
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            now = self._clock()
            table = Table(box=None, pad_edge=False, caption=self._tally.counts(now), caption_justify="left")
            for name in ("running", "attempt", "since"):
                table.add_column(name)
            for run_id, (attempt, since) in list(self._tally.running.items())[:_SHOWN_RUNS]:
                table.add_row(Text(run_id), str(attempt), duration(now - since))
            return table

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, ValueError, SystemExit):
            self._live.stop()


def choose_progress(stream: IO[str]) -> PlainProgress:
    """Return a live table for a terminal, plain lines for anything else."""
    return LiveProgress(stream) if stream.isatty() else PlainProgress(stream)
