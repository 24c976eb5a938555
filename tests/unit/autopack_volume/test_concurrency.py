"""Jobs that are joined, and refreshes that are shared."""

from __future__ import annotations

import asyncio

from autopack.errors import AutopackError
from autopack_volume.service.answers import PENDING, Answer, TransientError
from autopack_volume.service.jobs import Jobs
from autopack_volume.service.sources.refresh import Refresher

DONE = Answer(200, {"state": "ready"})


class Work:
    """Counts its calls, and ends when it is allowed to."""

    def __init__(self) -> None:
        self.calls = 0
        self.running = 0
        self.most = 0
        self.allowed = asyncio.Event()

    async def answer(self) -> Answer:
        await self.refresh()
        return DONE

    async def refresh(self) -> None:
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await self.allowed.wait()
        self.running -= 1


async def test_long_work_is_pending_and_goes_on() -> None:
    jobs, work = Jobs(0.01), Work()
    assert await jobs.answer("key", work.answer) == PENDING
    work.allowed.set()
    assert await jobs.answer("key", work.answer) == DONE
    assert work.calls == 1


async def test_a_caller_that_goes_away_ends_nothing() -> None:
    jobs, work = Jobs(10), Work()
    caller = asyncio.create_task(jobs.answer("key", work.answer))
    await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    work.allowed.set()
    assert await jobs.answer("key", work.answer) == DONE
    assert work.calls == 1


async def test_finished_work_is_not_remembered() -> None:
    jobs, work = Jobs(1), Work()
    work.allowed.set()
    await jobs.answer("key", work.answer)
    await jobs.answer("key", work.answer)
    assert work.calls == 2


async def failing(error: Exception) -> Answer:
    raise error


async def test_failures_become_answers() -> None:
    jobs = Jobs(1)
    said = {
        AutopackError("RefNotFound", "x"): (422, "RefNotFound"),
        TransientError("FetchTimeout", "x"): (503, "TransientFetchTimeout"),
        OSError(28, "No space left on device"): (503, "TransientVolumeError"),
        ValueError("a defect"): (503, "TransientInternalError"),
    }
    for error, wanted in said.items():
        answer = await jobs.answer(error, lambda error=error: failing(error))  # type: ignore[misc]
        assert (answer.status, answer.body["reason"]) == wanted


async def test_stopping_gives_up_what_is_under_way() -> None:
    jobs, work = Jobs(0.01), Work()
    await jobs.answer("key", work.answer)
    await asyncio.wait_for(jobs.stop(), 30)


async def test_those_who_wait_share_one_refresh() -> None:
    refresher, work = Refresher(), Work()
    first = asyncio.create_task(refresher.refresh("key", work.refresh))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(refresher.refresh("key", work.refresh)) for _ in range(10)]
    await asyncio.sleep(0.01)
    work.allowed.set()
    await asyncio.gather(first, *others)
    assert (work.calls, work.most) == (2, 1)


async def test_who_asks_while_one_runs_gets_a_later_one() -> None:
    refresher, work = Refresher(), Work()
    first = asyncio.create_task(refresher.refresh("key", work.refresh))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(refresher.refresh("key", work.refresh))
    await asyncio.sleep(0.01)
    work.allowed.set()
    await asyncio.gather(first, second)
    assert work.calls == 2


async def test_keys_do_not_wait_for_each_other() -> None:
    refresher, slow, quick = Refresher(), Work(), Work()
    waiting = asyncio.create_task(refresher.refresh("slow", slow.refresh))
    quick.allowed.set()
    await asyncio.wait_for(refresher.refresh("quick", quick.refresh), 30)
    slow.allowed.set()
    await waiting


async def test_a_failed_refresh_fails_all_who_shared_it_and_no_later_one() -> None:
    refresher, work = Refresher(), Work()

    async def fail() -> None:
        await asyncio.sleep(0)
        raise TransientError("FetchFailed", "x")

    failures = await asyncio.gather(*(refresher.refresh("key", fail) for _ in range(3)), return_exceptions=True)
    work.allowed.set()
    await refresher.refresh("key", work.refresh)
    assert all(isinstance(failure, TransientError) for failure in failures)
