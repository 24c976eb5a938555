"""Writing a status: compare-and-swap, of nothing but the status."""

from __future__ import annotations

import asyncio

import pytest

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.objects import KubeBatches, KubeRuns
from autopack_operator.domain.api.common import API_VERSION
from autopack_operator.domain.api.status import AutopackRunStatus, Condition, RunBatchStatus
from autopack_operator.domain.projection import batch_view
from autopack_operator.domain.views import RunView
from autopack_operator.ports.cluster import ConflictError, GoneError, RejectedError
from tests.e2e.installation import make_batch
from tests.e2e.kube_adapters.builders import (
    a_run,
    named,
    run_manifest,
)


async def test_it_is_written_without_the_spec_and_leaves_the_spec_alone(connection: Connection, namespace: str) -> None:
    run = await a_run(connection, namespace)
    condition = Condition(type="Succeeded", status="True", reason="Done", last_transition_time="2026-01-01T00:00:00Z")
    status = AutopackRunStatus(phase="Running", reason="Started", attempt=2, conditions=[condition])
    written = await KubeRuns(connection).write_status(run, status)
    stored = await KubeRuns(connection).get(namespace, run.name)
    assert stored == written
    assert stored.status == status
    assert stored.spec == run.spec
    assert int(stored.resource_version) > int(run.resource_version)


async def test_a_view_that_is_not_the_newest_conflicts(connection: Connection, namespace: str) -> None:
    runs, run = KubeRuns(connection), await a_run(connection, namespace)
    await runs.write_status(run, AutopackRunStatus(attempt=1))
    with pytest.raises(ConflictError):
        await runs.write_status(run, AutopackRunStatus(attempt=2))


async def test_of_many_that_claim_an_attempt_one_wins(connection: Connection, namespace: str) -> None:
    runs, run = KubeRuns(connection), await a_run(connection, namespace)
    claims = (runs.write_status(run, AutopackRunStatus(attempt=1, message=str(number))) for number in range(8))
    answers = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(answer, RunView) for answer in answers) == 1
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 7


async def test_a_deleted_run_is_gone(connection: Connection, namespace: str) -> None:
    runs, run = KubeRuns(connection), await a_run(connection, namespace)
    await runs.delete(run)
    with pytest.raises(GoneError):
        await runs.write_status(run, AutopackRunStatus(attempt=1))


async def test_a_successor_of_the_same_name_does_not_get_it(connection: Connection, namespace: str) -> None:
    runs, run = KubeRuns(connection), await a_run(connection, namespace)
    await runs.delete(run)
    again = run_manifest(namespace, name=run.name)
    del again["metadata"]["ownerReferences"]
    await connection.request("POST", path(API_VERSION, namespace, "autopackruns"), again)
    with pytest.raises(ConflictError):
        await runs.write_status(run, AutopackRunStatus(attempt=1))
    successor = await runs.get(namespace, run.name)
    assert successor is not None
    assert successor.status.attempt == 0


async def test_what_the_schema_forbids_is_refused_naming_the_field(connection: Connection, namespace: str) -> None:
    run = await a_run(connection, namespace)
    with pytest.raises(RejectedError, match=r"status\.phase"):
        await KubeRuns(connection).write_status(run, AutopackRunStatus.model_construct(phase="x" * 33))


async def test_a_batch_keeps_its_counters(connection: Connection, namespace: str) -> None:
    manifest = make_batch(named("batch"), "true", ["a"], suspend=True)
    batch = batch_view(await connection.request("POST", path(API_VERSION, namespace, "runbatches"), manifest))
    status = RunBatchStatus(phase="Running", total=1, pending=1)
    assert (await KubeBatches(connection).write_status(batch, status)).status == status
