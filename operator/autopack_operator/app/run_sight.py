"""Observes runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from autopack_operator.app.batch_of import batch_of
from autopack_operator.app.parsed_profiles import ParsedProfiles
from autopack_operator.app.spending import SpendingBook
from autopack_operator.cache import Cache
from autopack_operator.domain.batch.cancellation import cancels_its_runs
from autopack_operator.domain.keys import Kind
from autopack_operator.domain.run.decide import attempt_in_work
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.run.world import World
from autopack_operator.domain.spending.bounds import exhausted
from autopack_operator.domain.spending.grants import grant_of, seconds_left
from autopack_operator.domain.spending.views import Grant
from autopack_operator.domain.views import PodView, RunView


class RunSight:
    """Implements reconciler.Sight."""

    def __init__(self, cache: Cache, crowded: Callable[[], bool], spending: SpendingBook | None = None) -> None:
        self._cache, self._crowded, self._profiles = cache, crowded, ParsedProfiles(cache)
        self._spending = spending

    def find(self, namespace: str, name: str) -> RunView | None:
        """The run, if known."""
        return self._cache.runs.get(namespace, name)

    def first(self, run: RunView) -> RunMemory:  # noqa: ARG002 - all that is known of it stands in its status
        """Nothing was learnt yet."""
        return RunMemory()

    def observe(self, run: RunView, memory: RunMemory, now: datetime) -> World:
        """The world as this process knows it."""
        memory.forget_other_attempts(attempt_in_work(run))
        spec, spec_error = memory.spec_of(run)
        profile, profile_error = self._profiles.of(run.namespace, spec.profile_ref.name)
        batch, pod = batch_of(self._cache, run), self._pod(run, memory.attempt)
        memory.see_pod(pod, now)
        metered = self._spending is not None and (profile is None or bool(profile.providers))
        grant = None
        if metered and profile is not None:
            cap = memory.anchor.token_cap if memory.anchor is not None else None
            grant = grant_of(run, spec, batch, profile, cap, now)
        spent = self._spending.of(run.uid) if self._spending is not None else None
        told = memory.granted if isinstance(memory.granted, Grant) else None
        over = memory.revoked is True
        return World(
            spec=spec,
            known=memory,
            spec_error=spec_error,
            profile=profile,
            profile_error=profile_error,
            canceled=spec.cancel or (batch is not None and cancels_its_runs(batch)),
            held=spec.suspend,
            batch_unknown=batch is None and run.owner is not None and run.owner.kind == Kind.BATCH,
            pod=pod,
            pod_stopped=self._cache.pods.remarked(memory.pod_uid or run.status.pod_uid or ""),
            crowded=self._crowded(),
            metered=metered,
            grant=grant,
            grant_seconds=seconds_left(profile, now) if grant is not None else None,
            spent=spent,
            exhausted=exhausted(spent, told, grant, over=over),
        )

    def _pod(self, run: RunView, attempt: int) -> PodView | None:
        """The attempt's pod. While the next attempt waits to be claimed, the status still names the pod of the last."""
        wanted = run.status.pod_name if run.status.attempt == attempt else None
        return next((pod for pod in self._cache.pods_of(run.uid) if pod.name == wanted), None)
