"""Bounds on what one run may use of the machine: memory for each of its processes, and a number of cores."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from autopack.errors import InvalidInput

_LEAST_MEMORY = 16 * 1024**2
_MOST_MEMORY = 2**60
_HERE = hasattr(resource, "prlimit") and hasattr(os, "sched_setaffinity")


@dataclass(frozen=True)
class Quota:
    """`memory` in bytes for each process of a run, `cpus` in cores for all of them; None is no bound.

    Raises InvalidInput for a bound that makes no sense, or that this machine cannot keep.
    """

    memory: int | None = None
    cpus: int | None = None

    def __post_init__(self) -> None:
        if self.memory is not None and not _LEAST_MEMORY <= self.memory <= _MOST_MEMORY:
            raise InvalidInput("worker_memory", f"{self.memory} bytes is less than 16M or too much", "Give 512M or 2G")
        if self.cpus is not None and not 1 <= self.cpus <= len(usable_cores()):
            raise InvalidInput("worker_cpus", f"{self.cpus} is not from 1 to {len(usable_cores())}", "Give another")
        if (self.memory or self.cpus) and not _HERE:
            raise InvalidInput("worker_memory", "limits on workers need Linux", "Leave them out")


def usable_cores() -> set[int]:
    """Return the cores that this process may use."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


class Cores:
    """Hands cores to runs, those that the fewest runs have first. Called from several threads."""

    def __init__(self, available: Iterable[int]) -> None:
        self._lock = threading.Lock()
        self._users = Counter(dict.fromkeys(available, 0))

    @contextlib.contextmanager
    def borrow(self, count: int | None) -> Iterator[frozenset[int]]:
        """Yield `count` cores for one run, none for None (which is no bound)."""
        with self._lock:
            chosen = sorted(self._users, key=lambda core: (self._users[core], core))[: count or 0]
            self._users.update(chosen)
        try:
            yield frozenset(chosen)
        finally:
            with self._lock:
                self._users.subtract(chosen)


def bound(pid: int, memory: int | None, cores: Collection[int]) -> None:
    """Bound a process that has just been started; what it starts from now on inherits that."""
    with contextlib.suppress(ProcessLookupError):
        if memory is not None:
            resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))
        if cores:
            os.sched_setaffinity(pid, cores)
