"""What the watches report is cached; what is known already is not read again, and wakes nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.autopack_operator.builders import (
    NAMESPACE,
    BatchBuilder,
    ObjectBuilder,
    PodBuilder,
    ProfileBuilder,
    RunBuilder,
)

from autopack_operator.adapters.informer.intake import Intake
from autopack_operator.cache import Cache
from autopack_operator.domain import projection
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.keys import Key, Kind

RUN = Key(Kind.RUN, NAMESPACE, "one")
BATCH = Key(Kind.BATCH, NAMESPACE, "many")


class Watch:
    """An intake, its cache, and who was woken since one last looked."""

    def __init__(self) -> None:
        self.cache, self._woken = Cache(), list[Key]()
        self.intake = Intake(self.cache, self._woken.append)

    def tells(self, plural: str, body: JsonDict, event: str | None = "MODIFIED") -> list[Key]:
        self._woken.clear()
        self.intake.take_in(plural, event, body)
        return list(self._woken)


def version(built: ObjectBuilder, number: int) -> JsonDict:
    body = built.body()
    return body | {"metadata": body["metadata"] | {"resourceVersion": str(number)}}


def a_run() -> RunBuilder:
    return RunBuilder().uid("run-uid").owner("RunBatch", "many", "batch-uid").running()


def test_a_change_is_taken_in_and_wakes_the_reconciler() -> None:
    watch = Watch()
    watch.cache.remember_run(projection.run_view(version(a_run(), 5)))
    assert watch.tells("autopackruns", version(a_run().status(reason="Changed"), 6)) == [RUN]
    found = watch.cache.runs.get(NAMESPACE, "one")
    assert found is not None
    assert found.status.reason == "Changed"


@pytest.mark.parametrize("event", ["ADDED", "MODIFIED", None])
def test_the_echo_of_an_own_write_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch, event: str | None) -> None:
    watch, body = Watch(), version(a_run(), 5)
    watch.cache.remember_run(projection.run_view(body))

    def model_validate(stored: object) -> AutopackRunStatus:
        raise AssertionError(f"parsed once more: {stored}")

    monkeypatch.setattr(AutopackRunStatus, "model_validate", model_validate)
    assert watch.tells("autopackruns", body, event) == []


RUN_VIEW = a_run().view()
ECHOES: list[tuple[str, ObjectBuilder, Callable[[Cache, JsonDict], object]]] = [
    ("runbatches", BatchBuilder(), lambda cache, body: cache.batches.put(projection.batch_view(body))),
    ("pods", PodBuilder(RUN_VIEW), lambda cache, body: cache.pods.put(projection.pod_view(body))),
]


@pytest.mark.parametrize(("plural", "built", "remember"), ECHOES)
def test_the_echo_of_an_own_write_wakes_nobody(
    plural: str, built: ObjectBuilder, remember: Callable[[Cache, JsonDict], object]
) -> None:
    watch = Watch()
    remember(watch.cache, version(built, 5))
    assert watch.tells(plural, version(built, 5)) == []
    assert len(watch.tells(plural, version(built, 6))) == 1


def test_the_echo_of_a_runs_end_wakes_its_batch_which_did_not_write_it() -> None:
    watch, body = Watch(), version(a_run().status(phase="Succeeded"), 5)
    watch.cache.remember_run(projection.run_view(body))
    assert watch.tells("autopackruns", body) == [BATCH]


def test_what_the_watch_itself_told_is_an_echo_when_it_begins_anew() -> None:
    watch = Watch()
    assert watch.tells("autopackruns", version(a_run(), 5), "ADDED") == [RUN]
    assert watch.tells("autopackruns", version(a_run(), 5), None) == []


def test_a_deletion_is_no_echo_whatever_its_version() -> None:
    watch, body = Watch(), version(a_run(), 5)
    watch.cache.remember_run(projection.run_view(body))
    assert watch.tells("autopackruns", body, "DELETED") == [RUN, BATCH]
    assert watch.cache.runs.get(NAMESPACE, "one") is None


def test_a_successor_is_no_echo_whatever_its_version() -> None:
    watch = Watch()
    watch.cache.remember_run(projection.run_view(version(a_run(), 5)))
    assert watch.tells("autopackruns", version(a_run().uid("another"), 5)) == [RUN]


def test_a_profile_has_no_version_and_is_always_taken_in() -> None:
    watch, key = Watch(), Key(Kind.PROFILE, NAMESPACE, "default")
    assert watch.tells("runprofiles", ProfileBuilder().uid("p").body()) == [key]
    assert watch.tells("runprofiles", ProfileBuilder().uid("p").spec(defaultImage="new").body()) == [key]
    found = watch.cache.profiles.get(NAMESPACE, "default")
    assert found is not None
    assert found.spec["defaultImage"] == "new"
