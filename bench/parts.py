"""Parts of a benchmark, of which one that fails does not take the others' figures with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from bench.figures import Figure

LONGEST_REASON = 300


@dataclass
class Parts:
    """What all parts found so far.

    Attributes:
        figures: of the parts that were measured, in the order of the table.
        lost: the parts that were not measured to their end, with the reason.
        seconds: how long each part took.

    """

    figures: list[Figure] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Note the time, and instead of an error that it was not measured. Ctrl-C still ends everything."""
        started = time.monotonic()
        try:
            yield
        # SystemExit is how measurements say that they cannot go on; the next part may well.
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the others' figures are to be kept
            traceback.print_exception(error)
            self.lost[name] = reason(error)
            print(f"not measured: {name}: {self.lost[name]}", flush=True)
        finally:
            self.seconds[name] = round(time.monotonic() - started, 1)

    @contextlib.asynccontextmanager
    async def bounded(self, name: str, seconds: float) -> AsyncIterator[None]:
        """The same with an end: a part that hangs must not take the time of the others."""
        with self.part(name):
            try:
                async with asyncio.timeout(seconds):
                    yield
            except TimeoutError as error:
                raise RuntimeError(f"not over within {seconds:.0f} s") from error


def end_tidily() -> None:
    """Let SIGTERM and SIGINT clean up as Ctrl-C does, also where a shell started us in the background: what is left
    behind may be gigabytes of memory, and nodes that nobody plays.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def reason(error: BaseException) -> str:
    """One line that says why a part could not be measured."""
    if isinstance(error, BaseExceptionGroup):
        return reason(error.exceptions[0])
    text = " ".join(str(error).split()) or type(error).__name__
    return (
        text[:LONGEST_REASON] if isinstance(error, SystemExit) else f"{type(error).__name__}: {text}"[:LONGEST_REASON]
    )
