"""Whose silence is measured from when. The real API server is in tests/e2e; here answers are slow, and time is held."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web
from tests.unit.autopack_operator.adapters.api_double import Double, JsonDict, connected, json, status

from autopack_operator.adapters.kube.election import LEASE_SECONDS, RENEW_DEADLINE_SECONDS, KubeLeadership


class HeldClock:
    """Moves when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Leader(Double):
    """The Lease of another process. Every answer takes `delay` seconds of the held clock."""

    def __init__(self, clock: HeldClock, delay: float) -> None:
        super().__init__(self._lease)
        self._clock = clock
        self.delay, self.version = delay, 1

    @property
    def writes(self) -> list[web.Request]:
        return [request for request in self.asked if request.method != "GET"]

    async def _lease(self, _: web.Request) -> web.StreamResponse:
        self._clock.seconds += self.delay
        body: JsonDict = {
            "metadata": {"name": "leader", "namespace": "n", "uid": "u", "resourceVersion": str(self.version)},
            "spec": {"holderIdentity": "other", "leaseDurationSeconds": 15},
        }
        return web.json_response(body)


async def test_a_slow_answer_does_not_age_the_record_that_it_brings() -> None:
    # The request waits 14 s for its answer; the record in it may have been written just before the end of that wait.
    clock = HeldClock()
    other = Leader(clock, delay=14.0)
    async with connected(other) as connection:
        candidate = KubeLeadership(connection, "n", "leader", "me", clock)
        assert not await candidate._try()
        other.delay = 0.0
        clock.seconds += 2.0
        assert not await candidate._try()
    assert other.writes == []


async def test_a_record_that_stays_the_same_for_the_whole_duration_is_taken_over() -> None:
    clock = HeldClock()
    other = Leader(clock, delay=0.0)
    async with connected(other) as connection:
        candidate = KubeLeadership(connection, "n", "leader", "me", clock)
        assert not await candidate._try()
        clock.seconds += LEASE_SECONDS - 0.1
        assert not await candidate._try()
        clock.seconds += 0.2
        assert await candidate._try()
    assert [request.method for request in other.writes] == ["PUT"]


async def test_leadership_ends_by_itself_when_it_is_not_renewed() -> None:
    # What a process finds that was stopped in the middle of a step: nobody has told it anything.
    clock = HeldClock()
    async with connected(Leader(clock, delay=0.0)) as connection:
        candidate = KubeLeadership(connection, "n", "leader", "other", clock)
        assert not candidate.leads()
        await candidate.acquire()
        assert candidate.leads()
        clock.seconds += RENEW_DEADLINE_SECONDS
        assert not candidate.leads()


async def test_a_leader_that_renews_is_never_taken_over() -> None:
    clock = HeldClock()
    other = Leader(clock, delay=0.0)
    async with connected(other) as connection:
        candidate = KubeLeadership(connection, "n", "leader", "me", clock)
        for _ in range(10):
            other.version += 1
            assert not await candidate._try()
            clock.seconds += LEASE_SECONDS * 2
    assert other.writes == []


def held(version: int, holder: str = "me") -> JsonDict:
    meta = {"name": "leader", "namespace": "n", "uid": "u", "resourceVersion": str(version)}
    return {"metadata": meta, "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15}}


async def test_a_renewal_is_one_request() -> None:
    double = Double(json(held(1, "")), json(held(2)), json(held(3)), json(held(4)))
    async with connected(double) as connection:
        leader = KubeLeadership(connection, "n", "leader", "me", HeldClock())
        assert [await leader._try() for _ in range(3)] == [True, True, True]
    assert [request.method for request in double.asked] == ["GET", "PUT", "PUT", "PUT"]
    assert [(await request.json())["metadata"]["resourceVersion"] for request in double.asked[1:]] == ["1", "2", "3"]


async def test_a_lease_that_somebody_changed_is_read_again() -> None:
    conflict = status(409, "Conflict")
    double = Double(json(held(1, "")), json(held(2)), conflict, json(held(7, "thief")))
    async with connected(double) as connection:
        leader = KubeLeadership(connection, "n", "leader", "me", HeldClock())
        assert [await leader._try() for _ in range(2)] == [True, False]
    assert [request.method for request in double.asked] == ["GET", "PUT", "PUT", "GET"]
