"""Many runs, a few at a time, until all have ended or somebody wants an end."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from .control import Level, StopControl, signals_into
from .models import RunResult

_WORDS = {
    Level.DRAIN: "runs under way continue; no new runs start (again: stop them)",
    Level.STOP: "stopping the runs under way (again: kill them at once)",
    Level.KILL: "killing the runs under way",
}


class _WorkerEnded:
    """The last word of a worker."""


class Batch:
    """Executes runs on `workers` threads. `jitter` is the longest random pause before a start, in seconds."""

    def __init__(
        self, execute: Callable[[str], RunResult], control: StopControl, workers: int, jitter: float = 0.0
    ) -> None:
        self._execute = execute
        self._control = control
        self._workers = workers
        self._jitter = jitter
        self._waiting: deque[str] = deque()
        self._inbox: SimpleQueue[object] = SimpleQueue()

    def run(
        self, run_ids: Sequence[str], on_result: Callable[[RunResult], None], note: Callable[[str], None]
    ) -> list[str]:
        """Execute the runs, tell `on_result` of each as it ends, in this thread, and return those never started."""
        self._waiting.extend(run_ids)
        threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(min(self._workers, len(run_ids)))
        ]
        with signals_into(self._inbox):
            for thread in threads:
                thread.start()
            try:
                self._attend(len(threads), on_result, note)
            except BaseException:
                self._control.raise_to(Level.STOP)
                raise
            finally:
                for thread in threads:
                    thread.join()
        return list(self._waiting)

    def _attend(self, alive: int, on_result: Callable[[RunResult], None], note: Callable[[str], None]) -> None:
        """Handle what workers and signals send, until the last worker has ended."""
        while alive:
            item = self._inbox.get()
            if isinstance(item, RunResult):
                on_result(item)
            elif isinstance(item, Level):
                if item > self._control.level:
                    note(_WORDS[item])
                self._control.raise_to(item)
            else:
                alive -= 1

    def _work(self) -> None:
        try:
            while self._waiting:
                if not self._control.pause(random.uniform(0, self._jitter)):  # noqa: S311 - no secret
                    return
                try:
                    run_id = self._waiting.popleft()
                except IndexError:
                    return
                self._inbox.put(self._execute(run_id))
        finally:
            self._inbox.put(_WorkerEnded())
