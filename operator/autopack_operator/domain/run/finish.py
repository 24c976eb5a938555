"""From a stopped pod to the end: commit the work, let go of the Lease, then the terminal status or another attempt."""

from __future__ import annotations

from datetime import datetime

from autopack.phases import Phase
from autopack_operator.domain.api.run import WorkspaceCleanup
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.run import metering, retry, transitions
from autopack_operator.domain.run.verdict import Verdict, in_the_light_of
from autopack_operator.domain.run.world import Commit, ReleaseLease, Step, Wait, World, WriteStatus
from autopack_operator.domain.views import CommittedWork, RunView, VolumeFailure

POLL_SECONDS = 0.3
OUTAGE_SECONDS = 5.0


def decide(run: RunView, world: World, verdict: Verdict | None, now: datetime) -> Step:
    """The next step after the attempt's pod stopped (`verdict`) or vanished (None)."""
    if (step := metering.revoke(run, world, now)) is not None:
        return step
    match world.known.committed:
        case CommittedWork() as work:
            return _conclude(run, world, in_the_light_of(work, verdict), work, now)
        case VolumeFailure(transient=True) as failure:
            status = transitions.waiting(run, Phase.FINISHING, failure.reason, failure.message, now)
            return Wait(OUTAGE_SECONDS) if status == run.status else WriteStatus(status)
        case VolumeFailure() as failure:
            return _not_committed(run, world, failure, now)
        case str():
            return Wait(POLL_SECONDS)
        case _:
            cleanup = world.spec.workspace.cleanup
            success = verdict is not None and verdict.phase == Phase.SUCCEEDED
            remove = cleanup is WorkspaceCleanup.ALWAYS or (cleanup is WorkspaceCleanup.ON_SUCCESS and success)
            return Commit(run.status.attempt, remove)


def _conclude(run: RunView, world: World, verdict: Verdict, work: CommittedWork, now: datetime) -> Step:
    if not world.known.lease_released:
        # Before a retry as well: whatever ends the run while it waits then has nothing of this attempt to let go of.
        return ReleaseLease(run.status.attempt)
    verdict = metering.in_the_light_of(world, verdict)
    if verdict.phase == Phase.SUSPENDED:
        return _write(transitions.suspended(run, verdict, work, now), world)
    failures = retry.counted(run.status.failures, verdict.failure)
    if retry.allowed(world.spec.retry, failures, verdict):
        if not world.canceled:
            return _write(transitions.retried(run, world.spec, verdict, work, now), world)
        # Cancel takes the place of the attempt that would follow.
        message = f"canceled; attempt {run.status.attempt} had failed ({verdict.reason}) and is not repeated"
        verdict = Verdict(Phase.CANCELED, "Canceled", message, exit_code=verdict.exit_code)
    return _write(transitions.finished(run, verdict, now, committed=work, pod=world.pod), world)


def _write(status: AutopackRunStatus, world: World) -> WriteStatus:
    return WriteStatus(transitions.billed(status, world.spent))


def _not_committed(run: RunView, world: World, failure: VolumeFailure, now: datetime) -> Step:
    """The work could not be imported as it is (say, the manifest does not fit): it stays in its folder for a person."""
    if not world.known.lease_released:
        return ReleaseLease(run.status.attempt)
    verdict = Verdict(Phase.FAILED, failure.reason, failure.message)
    return _write(transitions.finished(run, verdict, now, not_committed=failure.message, pod=world.pod), world)
