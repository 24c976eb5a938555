"""What people do in a trial, each until everything has come to its end. Played pods do as their arguments say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from autopack.phases import Phase
from faults import manifests
from faults.trial import Trial

LONG = "forever"


async def success(trial: Trial) -> None:
    """A command that succeeds."""
    await trial.apply(manifests.run(trial.name, "seconds=0.2"))
    await trial.finished()


async def retry(trial: Trial) -> None:
    """A command that fails, and succeeds when it is tried again."""
    await trial.apply(manifests.run(trial.name, "seconds=0.2", "exit=3,0"))
    await trial.finished()


async def memory(trial: Trial) -> None:
    """A command that the kernel kills for want of memory, and that succeeds when it is tried again."""
    await trial.apply(manifests.run(trial.name, "seconds=0.2", "oom=1", profileRef={"name": "lean"}))
    await trial.finished()


async def quota(trial: Trial) -> None:
    """A command that fills the disk up to its quota, and is stopped for that."""
    retry = {"backoffSeconds": 0, "agent": 0}
    await trial.apply(manifests.run(trial.name, "seconds=0.2", "fill", profileRef={"name": "small"}, retry=retry))
    await trial.finished()


async def neighbours(trial: Trial) -> None:
    """A run that another one outlives, and that a third one follows."""
    beside, later = f"{trial.name}-beside", f"{trial.name}-later"
    await trial.apply(manifests.run(beside, "seconds=1.5", "real=14"))
    await trial.reaches(Phase.RUNNING, name=beside)
    await trial.apply(manifests.run(trial.name, "seconds=0.2"))
    await trial.finished(trial.name)
    await trial.apply(manifests.run(later, "seconds=0.2"))
    await trial.finished()


async def cancel(trial: Trial) -> None:
    """The user changes their mind."""
    await trial.apply(manifests.run(trial.name, LONG))
    await trial.reaches(Phase.RUNNING)
    await trial.edit(cancel=True)
    await trial.finished()


async def batch(trial: Trial) -> None:
    """Five runs, two at a time."""
    await trial.apply(manifests.batch(trial.name, ["a", "b", "c", "d", "e"], "seconds=0.2", workers=2))
    await trial.finished()


async def delete(trial: Trial) -> None:
    """The run is deleted while its command runs."""
    await trial.apply(manifests.run(trial.name, LONG))
    await trial.reaches(Phase.RUNNING)
    await trial.delete()
    await trial.nothing_left()


async def suspend(trial: Trial) -> None:
    """The run is stopped for a moment, and resumed."""
    await trial.apply(manifests.run(trial.name, LONG))
    await trial.reaches(Phase.RUNNING)
    await trial.edit(suspend=True)
    await trial.reaches(Phase.PENDING)
    await trial.edit(suspend=False)
    await trial.reaches(Phase.RUNNING, attempt=2)
    await trial.edit(cancel=True)
    await trial.finished()


Workload = Callable[[Trial], Awaitable[None]]
_ORDINARY: tuple[Workload, ...] = (success, retry, cancel, batch, delete, suspend)
_HUNGRY: tuple[Workload, ...] = (memory, quota, neighbours)
ORDINARY = frozenset(work.__name__ for work in _ORDINARY)
"""They meet every kind of fault; the others only what plans of their own say."""

WORKLOADS: dict[str, Workload] = {work.__name__: work for work in (*_ORDINARY, *_HUNGRY)}
