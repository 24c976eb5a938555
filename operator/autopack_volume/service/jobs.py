"""Work that may take longer than a request: asked for again, it is joined, not repeated."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Hashable

from autopack.errors import AutopackError
from autopack.log import log

from .answers import PENDING, Answer, TransientError, failed, transient


class Jobs:
    """The jobs under way, by key."""

    def __init__(self, answer_within: float) -> None:
        self._answer_within = answer_within
        self._tasks: dict[Hashable, asyncio.Task[Answer]] = {}

    async def answer(self, key: Hashable, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Start `work` or join it; return its answer, or PENDING when it takes longer than a caller should wait."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(_guarded(work))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        await asyncio.wait({task}, timeout=self._answer_within)
        return task.result() if task.done() else PENDING

    async def stop(self) -> None:
        """Give up all jobs; what they wrote so far is repaired when they are asked for again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _guarded(work: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        return await work()
    except TransientError as error:
        return transient(error.reason, str(error))
    except AutopackError as error:
        return failed(error)
    except OSError as error:
        log("error", "the volume failed", error=str(error))
        return transient("VolumeError", error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a defect in one request must not be lost, nor end the service
        trace = "".join(traceback.format_exception(error))
        log("error", "a request failed unexpectedly", error=repr(error), trace=trace[-1000:])
        return transient("InternalError", f"{type(error).__name__}; the service's log says more")
