"""The cache never goes back in time and never brings the dead back."""

from __future__ import annotations

import pytest
from tests.unit.autopack_operator.adapters.api_double import JsonDict
from tests.unit.autopack_operator.builders import PodBuilder, RunBuilder

from autopack_operator.cache import (
    REMEMBERED_DEATHS,
    REMEMBERED_SECONDS,
    Cache,
    Store,
    slimmed,
)
from autopack_operator.domain.keys import Key, Kind, keys_for_run
from autopack_operator.domain.projection import batch_view, pod_view, profile_view, run_view
from autopack_operator.domain.views import BatchView, PodView, ProfileView, RunView

NAMESPACE = "n"


def metadata(name: str, version: int, uid: str | None = None, owner: tuple[str, str] | None = None) -> JsonDict:
    meta: JsonDict = {
        "namespace": NAMESPACE,
        "name": name,
        "uid": uid or f"{name}-uid",
        "resourceVersion": str(version),
        "annotations": {"autopack.dev/intention-anchor": "{}"},
    }
    if owner is not None:
        kind, owner_name = owner
        reference = {"kind": kind, "name": owner_name, "uid": f"{owner_name}-uid", "controller": True}
        meta["ownerReferences"] = [reference]
    return meta


def run(name: str = "r", version: int = 1, phase: str = "", uid: str | None = None, batch: str = "") -> RunView:
    status = {
        "phase": phase,
        "finishedAt": "2026-01-01T00:00:00Z",
        "conditions": [
            {"type": "Succeeded", "status": "True", "reason": "Done", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        ],
    }
    spec = {"command": ["true"], "ttlSecondsAfterFinished": {"succeeded": 60}}
    owner = (Kind.BATCH.value, batch) if batch else None
    return run_view({"metadata": metadata(name, version, uid, owner), "spec": spec, "status": status})


def pod(name: str, version: int, owner: str) -> PodView:
    return pod_view({"metadata": metadata(name, version, owner=(Kind.RUN.value, owner))})


def batch(name: str = "b", version: int = 1) -> BatchView:
    return batch_view({"metadata": metadata(name, version)})


def profile(image: str) -> ProfileView:
    return profile_view({"metadata": metadata("default", 1), "spec": {"defaultImage": image}})


def phase(cache: Cache) -> str | None:
    found = cache.runs.get(NAMESPACE, "r")
    return found.status.phase if found is not None else None


def test_an_older_version_is_not_taken_in() -> None:
    cache = Cache()
    cache.remember_run(run(version=10, phase="Running"))
    cache.remember_run(run(version=9, phase="Pending"))
    assert phase(cache) == "Running"


def test_versions_are_compared_as_numbers() -> None:
    cache = Cache()
    cache.remember_run(run(version=9, phase="Pending"))
    cache.remember_run(run(version=10, phase="Running"))
    assert phase(cache) == "Running"


def test_a_late_answer_does_not_bring_a_deleted_run_back() -> None:
    cache = Cache()
    cache.remember_run(run(version=1))
    cache.runs.remove(NAMESPACE, "r", "r-uid")
    cache.remember_run(run(version=2))
    assert cache.runs.get(NAMESPACE, "r") is None


def test_a_successor_of_the_same_name_is_taken_in_and_outlives_the_news_of_the_first_ones_end() -> None:
    cache = Cache()
    cache.remember_run(run(version=50))
    cache.remember_run(run(version=60, uid="second"))
    cache.runs.remove(NAMESPACE, "r", "r-uid")
    found = cache.runs.get(NAMESPACE, "r")
    assert found is not None
    assert found.uid == "second"


def test_deaths_are_not_remembered_without_a_bound() -> None:
    cache = Cache()
    for number in range(REMEMBERED_DEATHS + 10):
        cache.runs.remove(NAMESPACE, "r", f"uid-{number}")
    assert len(cache.runs._dead) == REMEMBERED_DEATHS


def test_of_a_pod_that_is_gone_no_more_is_kept_than_whether_it_had_stopped() -> None:
    cache, owner = Cache(), RunBuilder("r").view()
    for builder in (PodBuilder(owner).ended().uid("ended"), PodBuilder(owner).running().uid("running")):
        pod = builder.view()
        cache.pods.put(pod)
        cache.pods.remove(pod.namespace, pod.name, pod.uid)
    assert [cache.pods.remarked(uid) for uid in ("ended", "running", "unknown")] == [True, False, False]
    cache.pods.remove(pod.namespace, pod.name, "ended")
    assert cache.pods.remarked("ended")
    assert dict(cache.pods._dead) == {"ended": True, "running": False}


def test_the_dead_are_remembered_for_as_long_as_anything_about_them_may_be_on_its_way() -> None:
    now = 0.0
    store: Store[RunView] = Store(remark=lambda _: True, monotonic=lambda: now)
    for uid, died in (("first", 0.0), ("second", REMEMBERED_SECONDS - 1)):
        now = died
        store.put(run(version=1, uid=uid))
        store.remove(NAMESPACE, "r", uid)
    assert (store.remarked("first"), store.remarked("second")) == (True, True)
    now = REMEMBERED_SECONDS
    assert (store.remarked("first"), store.remarked("second")) == (False, True)
    assert store.put(run(version=2, uid="first"))
    assert not store.put(run(version=2, uid="second"))


def test_pods_are_found_by_their_run_and_leave_with_it() -> None:
    cache = Cache()
    cache.pods.put(pod("r-a1", 1, "r"))
    cache.pods.put(pod("r-a2", 2, "r"))
    cache.pods.put(pod("other-a1", 3, "other"))
    assert {found.name for found in cache.pods_of("r-uid")} == {"r-a1", "r-a2"}
    cache.pods.remove(NAMESPACE, "r-a1", "r-a1-uid")
    assert {found.name for found in cache.pods_of("r-uid")} == {"r-a2"}


def test_a_run_that_left_its_batch_is_not_found_there() -> None:
    cache = Cache()
    cache.remember_run(run(version=1, batch="b"))
    assert [found.name for found in cache.runs_of("b-uid")] == ["r"]
    cache.remember_run(run(version=2))
    assert list(cache.runs_of("b-uid")) == []


def test_an_edited_profile_is_taken_in_although_it_has_no_version() -> None:
    cache = Cache()
    cache.profiles.put(profile("old"))
    cache.profiles.put(profile("new"))
    found = cache.profiles.get(NAMESPACE, "default")
    assert found is not None
    assert found.spec == {"defaultImage": "new"}


def test_a_finished_run_keeps_its_end_and_its_time_to_live_only() -> None:
    kept = slimmed(run(phase="Succeeded"))
    assert (kept.status.phase, kept.status.finished_at) == ("Succeeded", "2026-01-01T00:00:00Z")
    assert kept.spec == {"ttlSecondsAfterFinished": {"succeeded": 60}}
    assert (kept.anchor, kept.status.conditions) == (None, [])


def test_a_run_under_way_keeps_everything() -> None:
    under_way = run(phase="Running")
    assert slimmed(under_way) is under_way


def test_a_resync_takes_ghosts_out_and_says_whom_they_concern() -> None:
    cache = Cache()
    cache.remember_run(run("ghost", 1, batch="b"))
    cache.remember_run(run("alive", 2))
    cache.pods.put(pod("alive-a1", 3, "alive"))
    keys = cache.replace_all(cache.known_uids(), [run("alive", 2)], [], [])
    assert keys == [
        Key(Kind.RUN, NAMESPACE, "alive"),
        Key(Kind.RUN, NAMESPACE, "ghost"),
        Key(Kind.BATCH, NAMESPACE, "b"),
    ]
    assert cache.runs.get(NAMESPACE, "ghost") is None
    assert cache.pods_of("alive-uid") == ()


def test_what_came_while_the_lists_were_read_is_no_ghost() -> None:
    cache = Cache()
    before = cache.known_uids()
    cache.remember_run(run("young", 5))
    assert cache.replace_all(before, [], [], []) == []
    assert cache.runs.get(NAMESPACE, "young") is not None


def test_a_resync_without_differences_enqueues_nothing() -> None:
    cache = Cache()
    cache.remember_run(run(version=5))
    cache.batches.put(batch(version=6))
    assert cache.replace_all(cache.known_uids(), [run(version=5)], [batch(version=6)], []) == []


def test_a_resync_enqueues_what_the_watch_missed() -> None:
    cache = Cache()
    cache.remember_run(run(version=5))
    keys = cache.replace_all(cache.known_uids(), [run(version=7, phase="Running")], [batch()], [])
    assert keys == [Key(Kind.RUN, NAMESPACE, "r"), Key(Kind.BATCH, NAMESPACE, "b")]
    assert phase(cache) == "Running"


def test_runs_are_counted_by_phase() -> None:
    cache = Cache()
    for number, each in enumerate(["Running", "Running", ""]):
        cache.remember_run(run(f"r{number}", 1, each))
    assert cache.phases() == {"Running": 2, "New": 1}


def test_all_keys_are_those_of_runs_and_batches() -> None:
    cache = Cache()
    cache.remember_run(run())
    cache.batches.put(batch())
    cache.pods.put(pod("r-a1", 1, "r"))
    assert cache.all_keys() == [Key(Kind.RUN, NAMESPACE, "r"), Key(Kind.BATCH, NAMESPACE, "b")]


def test_a_run_that_ended_is_still_its_batchs_but_not_unfinished() -> None:
    cache = Cache()
    for name, phase_of_it in (("a", "Running"), ("b", "Running")):
        cache.remember_run(run(name, phase=phase_of_it, batch="b"))
    cache.remember_run(run("a", version=2, phase="Succeeded", batch="b"))
    assert sorted(found.name for found in cache.runs_of("b-uid")) == ["a", "b"]
    assert [found.name for found in cache.unfinished_runs_of("b-uid")] == ["b"]


@pytest.mark.parametrize(("phase_of_it", "told"), [("", True), ("Running", False)])
def test_a_batch_is_told_when_a_run_appears_and_not_of_its_steps(phase_of_it: str, told: bool) -> None:
    assert (Key(Kind.BATCH, NAMESPACE, "b") in keys_for_run(run(phase=phase_of_it, batch="b"))) is told


@pytest.mark.parametrize(("phase_of_it", "deleted"), [("Failed", False), ("Running", True)])
def test_a_batch_is_told_when_a_run_ends_or_goes(phase_of_it: str, deleted: bool) -> None:
    assert Key(Kind.BATCH, NAMESPACE, "b") in keys_for_run(run(phase=phase_of_it, batch="b"), deleted)


def test_a_run_under_way_is_found_by_its_profile_until_it_ends() -> None:
    cache, body = Cache(), {"metadata": metadata("r", 1), "spec": {"profileRef": {"name": "gpu"}}}
    cache.remember_run(run_view(body | {"status": {"phase": "Running", "attempt": 1}}))
    assert list(cache.under_way(NAMESPACE, "gpu")) == [(NAMESPACE, "r")]
    cache.remember_run(run("r", version=2, phase="Failed"))
    assert list(cache.under_way(NAMESPACE, "gpu")) == []
