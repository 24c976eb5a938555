"""What a run has to do with the gateway: what its pod may use there is told as soon as there is a pod, and taken back
when that has stopped.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from autopack.phases import Phase
from autopack_operator.domain.run import profile_policy, transitions
from autopack_operator.domain.run.verdict import BUDGET_EXHAUSTED, FailureClass, Verdict, budget_exhausted
from autopack_operator.domain.run.world import (
    GrantModels,
    LookUpProfile,
    ReadAnchor,
    RevokeModels,
    Step,
    Wait,
    World,
    WriteStatus,
)
from autopack_operator.domain.spending.bounds import explained, still_spent
from autopack_operator.domain.spending.views import GatewayFailure
from autopack_operator.domain.views import PodView, RunView

OUTAGE_SECONDS = 5.0
BUDGET_SECONDS = 30.0
"""How often it is looked whether a spent budget was raised where nothing tells of it: that of a batch, say."""


def _learn(world: World) -> Step | None:
    """The profile says whether the gateway is used, and it and the anchor bound what is spent there."""
    if not world.metered:
        return None
    if profile_policy.unknown(world):
        return LookUpProfile(world.spec.profile_ref.name)
    return ReadAnchor() if world.grant is not None and world.known.anchor is None else None


def grant(world: World, pod: PodView) -> Step | None:
    """What the pod may use is told once its UID is known, and whenever it has become something else."""
    if not world.metered or pod.deleting or isinstance(world.known.granted, GatewayFailure):
        return None
    if (step := _learn(world)) is not None or world.grant is None:
        return step
    wanted = replace(world.grant, pod_uid=pod.uid)
    return None if world.known.granted == wanted else GrantModels(wanted)


def bounded(step: Step, world: World) -> Step:
    """The step; but a grant that could not be told is not waited for long, nor one that changes by itself."""
    if not isinstance(step, Wait) or world.grant is None:
        return step
    failed = isinstance(world.known.granted, GatewayFailure)
    limits = (step.seconds, world.grant_seconds, OUTAGE_SECONDS if failed else None)
    return Wait(min((seconds for seconds in limits if seconds is not None), default=None))


def revoke(run: RunView, world: World, now: datetime) -> Step | None:
    """From here on the token of the attempt buys nothing more, wherever it got to, and what it has bought is known."""
    step = _learn(world)
    if step is not None or not world.metered or world.known.revoked is True:
        return step
    if not isinstance(world.known.revoked, GatewayFailure):
        return RevokeModels(run.status.attempt)
    message = f"what the attempt may use of models cannot be revoked: {world.known.revoked.message}"
    status = transitions.waiting(run, Phase.FINISHING, "GatewayUnavailable", message, now)
    return Wait(OUTAGE_SECONDS) if status == run.status else WriteStatus(status)


def in_the_light_of(world: World, verdict: Verdict) -> Verdict:
    """The verdict, once it is known what was spent: a command that gave up was told of its budget before we were."""
    if world.exhausted is None or verdict.failure is not FailureClass.AGENT or world.canceled:
        return verdict
    return budget_exhausted(world.exhausted)


def wait_for_budget(run: RunView, world: World, now: datetime) -> Step | None:
    """A run whose budget was spent waits until that is another one: its pod would only be refused."""
    spent = run.status.spent_budget
    if spent is None or not world.metered:
        return None
    if (step := _learn(world)) is not None:
        return step
    if world.grant is None or not still_spent(spent, world.grant.bounds):
        return None
    status = transitions.waiting(run, Phase.PENDING, BUDGET_EXHAUSTED, explained(spent), now)
    return Wait(BUDGET_SECONDS) if status == run.status else WriteStatus(status)
