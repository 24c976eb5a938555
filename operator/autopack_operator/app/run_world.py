"""Observes: everything that a decision about a run looks at, from the cache and from what was learnt."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from autopack_operator.app.batch_of import batch_of
from autopack_operator.app.run_facts import RunFacts
from autopack_operator.domain.api.common import Source
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.batch.cancellation import cancels_its_runs
from autopack_operator.domain.keys import Kind
from autopack_operator.domain.run.world import World
from autopack_operator.domain.views import PodView, RunView
from autopack_operator.ports.cluster import Cache

UNREADABLE = AutopackRunSpec(source=Source(repository="unreadable"), command=["unreadable"])
"""Stands in for a spec that was stored before a rule existed; nothing is ever started from it."""


def observe(cache: Cache, run: RunView, facts: RunFacts, now: datetime) -> World:
    """The world as this process knows it."""
    spec, spec_error = _spec(run)
    profile, profile_error = _profile(cache, run.namespace, spec.profile_ref.name)
    batch = batch_of(cache, run)
    pod = _pod(cache, run, facts.attempt)
    facts.pod_seen = facts.pod_seen or pod is not None
    if pod is not None:
        facts.pod_uid, facts.pod_gone_at = pod.uid, None
    elif facts.pod_absent and facts.pod_gone_at is None:
        facts.pod_gone_at = now
    return World(
        spec=spec,
        spec_error=spec_error,
        profile=profile,
        profile_error=profile_error,
        profile_absent=facts.profile_absent,
        canceled=spec.cancel or (batch is not None and cancels_its_runs(batch)),
        held=spec.suspend,
        batch_unknown=batch is None and run.owner is not None and run.owner.kind == Kind.BATCH,
        anchor=facts.anchor,
        prepared=facts.prepared,
        lease=facts.lease,
        pod=pod,
        pod_absent=facts.pod_absent,
        pod_seen=facts.pod_seen,
        pod_stopped=cache.stopped(facts.pod_uid or run.status.pod_uid or ""),
        pod_gone_for=(now - facts.pod_gone_at).total_seconds() if facts.pod_gone_at is not None else 0.0,
        pod_problem=facts.pod_problem,
        stop_asked=facts.stop_asked,
        committed=facts.committed,
        lease_released=facts.lease_released,
        turn=facts.turn,
    )


def explain(error: ValidationError) -> str:
    """The first field that is wrong, and why."""
    first = error.errors()[0]
    return f"{'.'.join(('spec', *(str(part) for part in first['loc'])))}: {first['msg']}"


def _spec(run: RunView) -> tuple[AutopackRunSpec, str]:
    try:
        return AutopackRunSpec.model_validate(run.spec), ""
    except ValidationError as error:
        return UNREADABLE, explain(error)


def _profile(cache: Cache, namespace: str, name: str) -> tuple[RunProfileSpec | None, str]:
    found = cache.profile(namespace, name)
    if found is None:
        return None, ""
    try:
        return RunProfileSpec.model_validate(found.spec), ""
    except ValidationError as error:
        return None, explain(error)


def _pod(cache: Cache, run: RunView, attempt: int) -> PodView | None:
    """The attempt's pod. While the next attempt waits to be claimed, the status still names the pod of the last."""
    wanted = run.status.pod_name if run.status.attempt == attempt else None
    return next((pod for pod in cache.pods_of(run.uid) if pod.name == wanted), None)
