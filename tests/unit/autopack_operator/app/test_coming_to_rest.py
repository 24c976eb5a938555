"""Whatever is stored, seen, learnt before and answered: a pass over a run gives a step each time, and comes to rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.autopack_operator.app.held_loop import LoopClock, play
from tests.unit.autopack_operator.builders import (
    NAMESPACE,
    NOW,
    SETTINGS,
    PodBuilder,
    ProfileBuilder,
    RunBuilder,
    anchor_text,
    committed,
    prepared,
)
from tests.unit.autopack_operator.fakes import NoHistory, NothingMore, RecordedEvents, SilentTelemetry

from autopack.phases import TERMINAL_PHASES, Phase
from autopack_operator.app.application import MAX_RUN_STEPS
from autopack_operator.app.reconciler import Reconciler
from autopack_operator.app.run_sight import RunSight
from autopack_operator.app.run_steps import RunSteps
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.cache import Cache
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.status import AutopackRunStatus, Outcome
from autopack_operator.domain.conditions import ConditionType, with_condition
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.naming import pod_name
from autopack_operator.domain.projection import profile_view
from autopack_operator.domain.run.decide import attempt_in_work, decide
from autopack_operator.domain.run.memory import PodProblem, RunMemory
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import LeaseConflict, Owner, PodView, ProfileView, RunView, VolumeFailure
from autopack_operator.ports.cluster import ForeignObjectError, RejectedError
from autopack_operator.ports.ports import Ports

AnswerT = TypeVar("AnswerT")

ANCHOR = anchor_text()
KEY = Key(Kind.RUN, NAMESPACE, "one")
TIMES = [rfc3339(NOW + timedelta(seconds=seconds)) for seconds in (-100_000, -30, 30)]
FAILURES = [VolumeFailure("Busy", "later", transient=True), VolumeFailure("NoSuchRef", "never", transient=False)]
WORK = [committed(), committed(exit_code=3), committed(complete=False, exit_code=None)]
CONFLICT = LeaseConflict("run-1", "2.a1")
PROFILES = [
    ProfileBuilder(),
    ProfileBuilder().spec(maxConcurrentRuns=1),
    ProfileBuilder().spec(allowedImages=[], maxTimeoutSeconds=1),
    ProfileBuilder().spec(defaultImage=7),
]
OUTCOMES = [Outcome(phase=phase, reason="Why", message="") for phase in (*TERMINAL_PHASES, Phase.SUSPENDED)]


TYPES = (ConditionType.ANCHOR_APPROVED, ConditionType.LEASE_HELD)
APPROVED = [with_condition((), kind, True, "X", now=NOW) for kind in TYPES]
STORED_TIMES = st.sampled_from([None, *TIMES])
# Strategies that are made once: each new one is validated and analyzed again, which takes longer than a pass.
SPECS: st.SearchStrategy[JsonDict] = st.fixed_dictionaries(
    {},
    optional={
        "suspend": st.booleans(),
        "cancel": st.booleans(),
        "activeDeadlineSeconds": st.sampled_from([1, 60, 1_000_000]),
        "retry": st.sampled_from([{"infrastructure": 0}, {"infrastructure": 2, "agent": 2}]),
        "workspace": st.sampled_from([{"cleanup": "Always"}, {"cleanup": "Never"}]),
        "command": st.sampled_from([["work"], "unreadable"]),
    },
)
STATUSES = st.builds(
    AutopackRunStatus,
    phase=st.sampled_from(["", *(phase for phase in Phase if phase not in TERMINAL_PHASES)]),
    reason=st.sampled_from(["", "Suspended", "QuotaReached", "Retrying", "NodeSilent"]),
    attempt=st.integers(0, 2),
    next_attempt_at=STORED_TIMES,
    active_since=STORED_TIMES,
    started_at=STORED_TIMES,
    outcome=st.sampled_from([None, *OUTCOMES]),
    pod_name=st.sampled_from([None, "another", *(pod_name("one", number) for number in (1, 2))]),
    pod_uid=st.sampled_from([None, "gone", "pod-uid"]),
    resumed_from=st.sampled_from([None, "f" * 40]),
    conditions=st.sampled_from([[], *APPROVED]),
)


@cache
def memories(attempt: int) -> st.SearchStrategy[RunMemory]:
    problems = [PodProblem("X", "x", hopeless) for hopeless in (True, False)]
    return st.builds(
        RunMemory,
        attempt=st.sampled_from([attempt, attempt + 1]),
        prepared=st.sampled_from([None, "pending", prepared(attempt), *FAILURES]),
        lease=st.sampled_from([None, attempt, CONFLICT]),
        profile_absent=st.booleans(),
        pod_absent=st.booleans(),
        pod_uid=st.sampled_from([None, "pod-uid", "gone"]),
        pod_gone_at=st.sampled_from([None, NOW, NOW - timedelta(days=1)]),
        pod_problem=st.sampled_from([None, *problems]),
        stop_asked=st.sampled_from([None, "pod-uid"]),
        committed=st.sampled_from([None, "pending", *WORK, *FAILURES]),
        lease_released=st.booleans(),
        turn=st.sampled_from([None, True, False]),
    )


@cache
def up_to(last: int) -> st.SearchStrategy[int]:
    return st.integers(0, last)


def pods_of(run: RunView) -> list[PodView]:
    """The pod that the status names, in every state of its life."""
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    found = [
        PodBuilder(run).view(),
        PodBuilder(run).scheduled().container("workspace", **waiting).view(),
        PodBuilder(run).running().view(),
        PodBuilder(run).ended().view(),
        PodBuilder(run).ended(3).view(),
    ]
    found = [replace(pod, name=run.status.pod_name or "one-a1", uid="pod-uid") for pod in found]
    return [*found, *(replace(pod, deleting=True, stops_by=time) for pod in found for time in TIMES)]


@dataclass
class Answers:
    """Every port that a run's steps ask, with any answer at any time."""

    data: st.DataObject
    run: RunView
    version: int = 1_000_000

    def any(self, *answers: AnswerT) -> AnswerT:
        return answers[self.data.draw(up_to(len(answers) - 1))]

    async def write_status(self, run: RunView, status: AutopackRunStatus) -> RunView:
        self.version += 1
        return replace(run, status=status, resource_version=str(self.version))

    async def acquire(self, owner: RunView, attempt: int, workspace: str) -> LeaseConflict | None:
        return self.any(None, CONFLICT)

    async def release(self, namespace: str, run_uid: str, attempt: int) -> None:
        """It is let go."""

    async def prepare(self, run_uid: str, run_name: str, attempt: int, *_: object, **__: object) -> object:
        return self.any(None, prepared(attempt), *FAILURES)

    async def commit(self, *_: object, **__: object) -> object:
        return self.any(None, *WORK, *FAILURES)

    async def read(self, namespace: str, name: str, key: str, *, label: str | None = None) -> str | None:
        return self.any(None, ANCHOR, "{}")


class AnyPods(Answers):
    """ports.cluster.Pods."""

    def _pod(self, name: str) -> PodView:
        return replace(self.any(*pods_of(self.run)), name=name)

    async def get(self, namespace: str, name: str) -> PodView | None:
        foreign = replace(self._pod(name), owner=Owner("Job", "theirs", "theirs"))
        return self.any(None, self._pod(name), foreign)

    async def create(self, manifest: JsonDict) -> PodView:
        refusal = self.any(None, ForeignObjectError(), RejectedError("exceeded quota"), RejectedError("no"))
        if refusal is not None:
            raise refusal
        return self._pod(manifest["metadata"]["name"])

    async def delete(self, pod: PodView, grace_seconds: int | None = None) -> None:
        """It is told to stop."""


class AnyProfiles(Answers):
    """ports.cluster.Profiles."""

    async def get(self, namespace: str, name: str) -> ProfileView | None:
        return self.any(None, *(profile_view(built.body()) for built in PROFILES))


async def one_pass(data: st.DataObject, run: RunView) -> None:
    cache, clock, answers = Cache(), LoopClock(), Answers(data, run)
    cache.remember_run(run)
    if (profile := answers.any(None, *PROFILES)) is not None:
        cache.profiles.put(profile_view(profile.body()))
    if run.status.attempt and (pod := answers.any(None, *pods_of(run))) is not None:
        cache.pods.put(pod)
    ports = Ports(
        cache=cache,
        lister=answers,  # type: ignore[arg-type]
        runs=answers,  # type: ignore[arg-type]
        batches=answers,  # type: ignore[arg-type]
        pods=AnyPods(data, run),
        profiles=AnyProfiles(data, run),
        configmaps=answers,
        leases=answers,
        events=RecordedEvents(),
        volume=answers,  # type: ignore[arg-type]
        publisher=answers,  # type: ignore[arg-type]
        history=NoHistory(),
        telemetry=SilentTelemetry(),
        clock=clock,
        crowded=lambda: False,
    )
    turnstile = Turnstile(cache, clock, lambda _: None)
    reconciler = Reconciler(
        RunSight(cache, lambda: answers.any(False, True)),
        decide,
        RunSteps(ports, turnstile, SETTINGS),
        NothingMore(),
        turnstile,
        clock,
        MAX_RUN_STEPS,
    )
    reconciler._memories[KEY] = run.uid, data.draw(memories(attempt_in_work(run)))
    await reconciler.reconcile(KEY)


@settings(max_examples=150)
@given(st.data())
def test_any_run_comes_to_rest_in_any_world(data: st.DataObject) -> None:
    run = RunBuilder().spec(**data.draw(SPECS)).view()
    run = replace(run, status=data.draw(STATUSES), anchor=data.draw(st.sampled_from([None, "{}", ANCHOR])))
    play(one_pass(data, run))
