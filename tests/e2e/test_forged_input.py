"""What authors of runs cannot forge, and what is too much, on the real API server with the operator's process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from faults import manifests
from faults.upstream import ApiError
from faults.witness import phase
from tests.e2e.played import Played, played

JsonDict = dict[str, Any]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene() -> AsyncIterator[Played]:
    async with played() as opened:
        yield opened


async def test_a_status_that_comes_with_the_object_is_ignored(scene: Played) -> None:
    forged = {"phase": "Succeeded", "attempt": 7, "podName": "kube-apiserver"}
    await scene.create(manifests.run("forged-status", "exit=3,3") | {"status": forged})
    status = (await scene.finished("forged-status"))["status"]
    assert (status["phase"], status["attempt"]) == ("Failed", 2)


async def test_a_status_that_nobody_can_read_is_written_anew(scene: Played) -> None:
    body = await scene.create(manifests.run("odd-status", suspend=True))
    where = scene.lane.witness.path("AutopackRun", "odd-status")
    await scene.upstream.merge(f"{where}/status", {"status": {"branch": "x" * 10_000, "reason": "y" * 100}})
    await scene.upstream.merge(where, {"spec": {"suspend": False}})
    assert (await scene.finished("odd-status"))["metadata"]["uid"] == body["metadata"]["uid"]


async def test_an_owner_that_never_was_starts_nothing(scene: Played) -> None:
    owner = {"apiVersion": manifests.API_VERSION, "kind": "RunBatch", "name": "ghost", "controller": True}
    forged = manifests.run("forged-owner")
    forged["metadata"] |= {
        "ownerReferences": [owner | {"uid": "0f8fad5b-d9cb-469f-a165-70867728950e"}],
        "annotations": {},
    }
    await scene.create(forged)
    find = scene.lane.witness.find
    await scene.lane.witness.until(lambda: find("AutopackRun", "forged-owner") is None, "its end", 60)
    assert scene.pods("forged-owner") == []


async def test_annotations_of_ours_that_are_forged_change_nothing(scene: Played) -> None:
    forged = manifests.run("forged-labels")
    forged["metadata"]["annotations"] |= {"autopack.dev/batch-index": "999", "autopack.dev/lease-key": "x"}
    forged["metadata"]["labels"] = {"autopack.dev/run-uid": "somebody-else"}
    try:
        await scene.create(forged)
    except ApiError as refused:
        assert "autopack.dev" in str(refused)  # noqa: PT017 - refused by name is as good
    else:
        assert (await scene.finished("forged-labels"))["status"]["phase"] == "Succeeded"


async def test_a_run_that_comes_again_under_its_name_has_a_workspace_and_a_ref_of_its_own(scene: Played) -> None:
    find = scene.lane.witness.find
    statuses = []
    for _ in range(2):
        await scene.create(manifests.run("again", "seconds=0.1"))
        statuses.append((await scene.finished("again"))["status"])
        await scene.upstream.gone(scene.lane.witness.path("AutopackRun", "again"))
        await scene.lane.witness.until(lambda: find("AutopackRun", "again") is None, "its deletion", 60)
    assert [status["phase"] for status in statuses] == ["Succeeded", "Succeeded"]
    for name in ("workspace", "artifacts", "ref"):
        assert statuses[0][name] != statuses[1][name]


async def test_a_spec_of_2_mib_is_refused(scene: Played) -> None:
    with pytest.raises(ApiError, match=r"(?i)too long|too large|limit"):
        await scene.create(manifests.run("large", *["x" * 8000] * 256))


async def test_a_batch_of_10000_listed_runs_is_refused_and_one_of_5000_has_a_small_status(scene: Played) -> None:
    ids = [f"n{number}" for number in range(10_000)]
    with pytest.raises(ApiError, match=r"spec\.runs: Too many"):
        await scene.create(manifests.batch("many", ids, suspend=True))
    await scene.create(manifests.batch("many", ids[:5000], suspend=True))
    find = scene.lane.witness.find
    await scene.lane.witness.until(lambda: phase(find("RunBatch", "many")) == "Suspended", "its status", 60)
    status = (find("RunBatch", "many") or {})["status"]
    assert (status["total"], status["active"], len(str(status)) < 4096) == (5000, 0, True)


async def test_ids_that_differ_only_in_case_do_not_meet(scene: Played) -> None:
    with pytest.raises(ApiError, match=r"spec\.runs\[1\]\.id"):
        await scene.create(manifests.batch("cases", ["a", "A"]))


_TEXT = st.text(max_size=40)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ("source", "command", "args", "env", "retry", "timeoutSeconds", "workspace", "profileRef", "image", "x")


@seed(7)
@settings(max_examples=60, deadline=None, database=None)
@given(field=st.sampled_from(_FIELDS), value=_VALUES)
def fuzz(field: str, value: object) -> None:
    """Fills _FUZZED: hypothesis does not run on the event loop that the scene lives on."""
    _FUZZED.append((field, value))


_FUZZED: list[tuple[str, object]] = []


async def test_whatever_a_field_holds_is_refused_or_brought_to_an_end(scene: Played) -> None:
    fuzz()
    for number, (field, value) in enumerate(_FUZZED):
        body = manifests.run(f"fuzzed-{number}")
        body["spec"][field] = value
        try:
            await scene.create(body)
        except ApiError as refused:
            assert refused.status in {400, 422}, (field, value)  # noqa: PT017
        else:
            await scene.finished(f"fuzzed-{number}")
