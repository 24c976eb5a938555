"""Observes: everything that a decision about a run looks at, from the cache and from what was learnt."""

from __future__ import annotations

from datetime import datetime

from autopack_operator.app.batch_of import batch_of
from autopack_operator.app.parsed_spec import ParsedProfiles
from autopack_operator.app.run_memory import RunMemory
from autopack_operator.domain.batch.cancellation import cancels_its_runs
from autopack_operator.domain.keys import Kind
from autopack_operator.domain.run.world import World
from autopack_operator.domain.views import PodView, RunView
from autopack_operator.ports.cluster import Cache


def observe(
    cache: Cache, profiles: ParsedProfiles, run: RunView, memory: RunMemory, now: datetime, *, crowded: bool
) -> World:
    """The world as this process knows it."""
    spec, spec_error = memory.spec_of(run)
    profile, profile_error = profiles.of(run.namespace, spec.profile_ref.name)
    batch = batch_of(cache, run)
    pod = _pod(cache, run, memory.attempt)
    memory.pod_seen = memory.pod_seen or pod is not None
    if pod is not None:
        memory.pod_uid, memory.pod_gone_at = pod.uid, None
    elif memory.pod_absent and memory.pod_gone_at is None:
        memory.pod_gone_at = now
    return World(
        spec=spec,
        spec_error=spec_error,
        profile=profile,
        profile_error=profile_error,
        profile_absent=memory.profile_absent,
        canceled=spec.cancel or (batch is not None and cancels_its_runs(batch)),
        held=spec.suspend,
        batch_unknown=batch is None and run.owner is not None and run.owner.kind == Kind.BATCH,
        anchor=memory.anchor,
        prepared=memory.prepared,
        lease=memory.lease,
        pod=pod,
        pod_absent=memory.pod_absent,
        pod_seen=memory.pod_seen,
        pod_stopped=cache.stopped(memory.pod_uid or run.status.pod_uid or ""),
        pod_gone_for=(now - memory.pod_gone_at).total_seconds() if memory.pod_gone_at is not None else 0.0,
        pod_problem=memory.pod_problem,
        stop_asked=memory.stop_asked,
        committed=memory.committed,
        lease_released=memory.lease_released,
        turn=memory.turn,
        crowded=crowded,
    )


def _pod(cache: Cache, run: RunView, attempt: int) -> PodView | None:
    """The attempt's pod. While the next attempt waits to be claimed, the status still names the pod of the last."""
    wanted = run.status.pod_name if run.status.attempt == attempt else None
    return next((pod for pod in cache.pods_of(run.uid) if pod.name == wanted), None)
