"""decide(run, world, now) -> the one next step. The life of a run, in the order in which it happens:

    start.py    anchor -> profile -> prepare -> Lease -> claim (status.attempt = N)
    follow.py   create the pod -> watch it -> it stops (or is stopped)
    finish.py   commit its work -> release the Lease -> terminal status, or back to start.py for attempt N+1

The reconciler carries the step out, learns from it, and asks again, until the answer is Wait. Every step is safe to
repeat, so a crash between any two of them costs nothing: the next start decides again from what is stored.
"""

from __future__ import annotations

from datetime import datetime

from autopack_operator.domain.run import deadline, follow, start
from autopack_operator.domain.run.world import Step, World
from autopack_operator.domain.views import RunView


def decide(run: RunView, world: World, now: datetime) -> Step:
    """The next step for a run that is neither terminal nor being deleted. Pure."""
    step = start.decide(run, world, now) if _waits(run) else follow.decide(run, world, now)
    return deadline.bounded(step, run, world.spec, now)


def attempt_in_work(run: RunView) -> int:
    """The attempt that the next step is about: the claimed one, or the one to be claimed."""
    return run.status.attempt + 1 if _waits(run) else run.status.attempt


def _waits(run: RunView) -> bool:
    return run.status.attempt == 0 or run.status.next_attempt_at is not None
