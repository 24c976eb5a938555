"""What vanishes between two requests is asked for again: GoneError would end the run's reconciling for good."""

from __future__ import annotations

import pytest
from tests.unit.autopack_operator.adapters.api_double import Double, JsonDict, connected, json, status

from autopack_operator.adapters.kube.lease_backend import KEY_ANNOTATION
from autopack_operator.adapters.kube.leases import KubeLeases
from autopack_operator.adapters.kube.objects import KubePods
from autopack_operator.domain.projection import pod_view, run_view
from autopack_operator.domain.views import RunView
from autopack_operator.ports.cluster import ConflictError, TransientError

TAKEN = status(409, "AlreadyExists")
ABSENT = status(404, "NotFound")


def meta(name: str, uid: str) -> JsonDict:
    return {"namespace": "n", "name": name, "uid": uid, "resourceVersion": "5"}


def a_run() -> RunView:
    return run_view({"metadata": meta("r", "run-uid"), "spec": {}})


def pod_manifest() -> JsonDict:
    owner = {"kind": "AutopackRun", "name": "r", "uid": "run-uid", "controller": True}
    return {"kind": "Pod", "metadata": {"namespace": "n", "name": "r-a1", "ownerReferences": [owner]}}


async def test_a_pod_that_had_the_name_and_is_gone() -> None:
    async with connected(Double(TAKEN, ABSENT)) as connection:
        with pytest.raises(TransientError):
            await KubePods(connection).create(pod_manifest())


async def test_a_lease_that_had_the_name_and_is_gone() -> None:
    async with connected(Double(TAKEN, ABSENT)) as connection:
        with pytest.raises(TransientError):
            await KubeLeases(connection).acquire(a_run(), 1, "claim/path")


async def test_a_lease_that_goes_while_it_is_taken_over() -> None:
    lease = {
        "metadata": meta("run-run-uid", "lease-uid") | {"annotations": {KEY_ANNOTATION: "run/n/r/run-uid"}},
        "spec": {"holderIdentity": "run-uid.a1"},
    }
    async with connected(Double(TAKEN, json(lease), ABSENT)) as connection:
        with pytest.raises(TransientError):
            await KubeLeases(connection).acquire(a_run(), 2, "claim/path")


async def test_deleting_what_another_object_has_replaced_is_done() -> None:
    double = Double(status(409, "Conflict", "Precondition failed: UID"), json({"metadata": meta("r-a1", "another")}))
    async with connected(double) as connection:
        await KubePods(connection).delete(pod_view({"metadata": meta("r-a1", "pod-uid")}))
    assert len(double.asked) == 2


async def test_deleting_what_only_changed_is_asked_for_again() -> None:
    double = Double(
        status(409, "Conflict", "the object has been modified"), json({"metadata": meta("r-a1", "pod-uid")})
    )
    async with connected(double) as connection:
        with pytest.raises(ConflictError):
            await KubePods(connection).delete(pod_view({"metadata": meta("r-a1", "pod-uid")}))
