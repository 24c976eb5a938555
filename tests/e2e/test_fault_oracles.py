"""The campaign's oracles find what a broken operator does: its real process, with one decision changed."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from scripts import deploy

from faults import manifests
from faults.campaign import campaign
from faults.plan import Kind
from faults.recipes import Undisturbed, database_plans
from faults.trial import Trial
from faults.workloads import WORKLOADS

START = "from autopack_operator.main import main; main()"

TAKES_IN_TOO_EARLY = """
from autopack_operator.domain.run import follow
watch = follow._watch
def eager(run, world, pod, now):
    if run.status.phase == 'Running':
        return follow.finish.Commit(run.status.attempt, True)
    return watch(run, world, pod, now)
follow._watch = eager
"""
DOES_NOT_WAIT_FOR_THE_POD = """
from autopack_operator.domain.run import follow
from autopack_operator.domain.run.transitions import finished
follow.DeletePod = lambda pod: None
decide = follow.decide
def hasty(run, world, now):
    if world.canceled and world.pod is not None:
        return follow.WriteStatus(finished(run, follow.CANCELED, now, pod=world.pod))
    return decide(run, world, now)
follow.decide = hasty
"""
KEEPS_THE_LEASES = """
from autopack_operator.adapters.kube.leases import KubeLeases
async def release(self, namespace, run_uid, attempt):
    return None
KubeLeases.release = release
"""
FORGETS_THE_WORK = """
from autopack_operator.domain.run import finish
from autopack_operator.domain.views import CommittedWork
decide = finish.decide
def careless(run, world, verdict, now):
    if world.known.committed is None:
        return finish._conclude(run, world, verdict, CommittedWork(True, 0, 'h', 'r', 'm', 0, 0), now)
    return decide(run, world, verdict, now)
finish.decide = careless
"""
CHANGES_ITS_MIND = """
from autopack_operator.app.reconciler import Reconciler
from autopack_operator.domain.run.world import WriteStatus
async def again(self, key, view):
    if view.status.phase != 'Failed':
        await self._steps.take(WriteStatus(view.status.model_copy(update={'phase': 'Failed'})), view, None)
Reconciler._after_the_end = again
"""
TWO_ATTEMPTS_AT_ONCE = """
from datetime import timedelta
from autopack_operator.domain.run import follow, transitions
from autopack_operator.domain.times import rfc3339
watch = follow._watch
def impatient(run, world, pod, now):
    if run.status.phase == 'Running' and run.status.attempt == 1:
        edit = transitions.Editor(run, now).set(phase='Pending', reason='Retrying', next_attempt_at=rfc3339(now))
        return follow.WriteStatus(edit.done())
    return watch(run, world, pod, now)
follow._watch = impatient
"""
NEVER_RESTS = """
from autopack_operator.domain.run import follow, transitions
blocked = follow._blocked
def restless(run, reason, message, now):
    if run.name != 'poison':
        return blocked(run, reason, message, now)
    return follow.WriteStatus(transitions.waiting(run, 'Preparing', reason, f'{message} {now}', now))
follow._blocked = restless
"""
LEAVES_ROWS_OUT = """
from autopack.errors import AutopackError
from autopack_operator.adapters.registry import history
write = history.write
def careless(registry, events):
    try:
        return write(registry, events)
    except AutopackError:
        return False
history.write = careless
"""
PLANTED = [
    (TAKES_IN_TOO_EARLY, "cancel", "work_is_saved_first"),
    (DOES_NOT_WAIT_FOR_THE_POD, "cancel", "no_orphans"),
    (KEEPS_THE_LEASES, "success", "no_orphans"),
    (FORGETS_THE_WORK, "success", "every_execution_is_taken_in"),
    (CHANGES_ITS_MIND, "success", "terminal_is_final"),
    (TWO_ATTEMPTS_AT_ONCE, "long_success", "one_execution_at_a_time"),
    (NEVER_RESTS, "success", "poison_is_no_loop"),
]


async def long_success(trial: Trial) -> None:
    """A command that surely still runs when a second attempt begins beside it."""
    await trial.apply(manifests.run(trial.name, "seconds=10"))
    await trial.finished()


@pytest.mark.parametrize(("bug", "workload", "oracle"), PLANTED, ids=[oracle for _, _, oracle in PLANTED])
def test_a_broken_operator_is_found(
    cluster_is_up: None, bug: str, workload: str, oracle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WORKLOADS, "long_success", long_success)
    assert oracle in {text.split(":")[0] for text in asyncio.run(_observe(workload, ("-c", bug + START)))[1]}


def test_the_operator_itself_is_found_in_order(cluster_is_up: None) -> None:
    assert asyncio.run(_observe("success", ("-c", START)))[1] == []


def test_rows_that_are_left_out_while_the_database_is_read_only_are_found(
    cluster_is_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.lane.ROWS_SECONDS", 5.0)
    assert asyncio.run(_read_only(LEAVES_ROWS_OUT)) == {"rows_say_what_happened"}


async def _read_only(bug: str) -> set[str]:
    """Names of the oracles that find something."""
    async with campaign() as running, running.lane(next(_numbers), ("-c", bug + START), database=True) as lane:
        await lane.shape(1, 300)
        life, wrong = await lane.observe("success")
        assert wrong == []
        [plan, *_] = [plan for plan in database_plans({"success": life}) if plan.fault.kind is Kind.DATABASE_READ_ONLY]
        verdict = await lane.play(plan, life)
        assert verdict.fired
        return {text.split(":")[0] for text in verdict.wrong}


_numbers = itertools.count(100)
"""A namespace that was deleted takes a while to go: each test has its own."""


async def _observe(workload: str, program: tuple[str, ...]) -> tuple[Undisturbed, list[str]]:
    async with campaign() as running, running.lane(next(_numbers), program) as lane:
        await lane.shape(1, 300)
        return await lane.observe(workload)


@pytest.fixture(scope="module")
def cluster_is_up() -> None:
    """With today's definitions; no image is needed."""
    deploy.devcluster("up")
    deploy.kubectl("apply", "--server-side", "--force-conflicts", "-f", deploy.ROOT / "crds")
