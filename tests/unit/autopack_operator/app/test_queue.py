"""The work queue, on held time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.unit.autopack_operator.app.held_loop import LoopClock, play

from autopack_operator.app.queue import BASE_DELAY_SECONDS, MAX_DELAY_SECONDS, QueueClosedError, WorkQueue

Queue = WorkQueue[str]
Story = Callable[[Queue], Awaitable[None]]


def with_queue(story: Story) -> None:
    async def program() -> None:
        await story(WorkQueue(LoopClock().monotonic, lambda: 1.0))

    play(program())


async def empty(queue: Queue) -> bool:
    """Nothing is handed out within a second."""
    try:
        async with asyncio.timeout(1):
            await queue.get()
    except TimeoutError:
        return True
    return False


def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    async def story(queue: Queue) -> None:
        queue.add("a")
        queue.add("b")
        assert [await queue.get(), await queue.get()] == ["a", "b"]

    with_queue(story)


def test_a_key_that_waits_is_handed_out_once_however_often_it_is_added() -> None:
    async def story(queue: Queue) -> None:
        queue.add("a")
        queue.add("a")
        queue.done(await queue.get())
        assert await empty(queue)

    with_queue(story)


def test_a_key_in_work_is_not_handed_out_a_second_time() -> None:
    async def story(queue: Queue) -> None:
        queue.add("a")
        await queue.get()
        queue.add("a")
        assert await empty(queue)

    with_queue(story)


def test_a_key_added_while_in_work_is_handed_out_when_that_is_done() -> None:
    async def story(queue: Queue) -> None:
        queue.add("a")
        await queue.get()
        queue.add("a")
        queue.add("a")
        queue.done("a")
        queue.done(await queue.get())
        assert await empty(queue)

    with_queue(story)


def test_a_waiting_worker_is_woken_by_an_addition() -> None:
    async def story(queue: Queue) -> None:
        worker = asyncio.create_task(queue.get())
        await asyncio.sleep(5)
        queue.add("a")
        assert await worker == "a"

    with_queue(story)


def test_each_waiting_worker_gets_a_key_of_its_own() -> None:
    async def story(queue: Queue) -> None:
        workers = [asyncio.create_task(queue.get()) for _ in range(2)]
        await asyncio.sleep(1)
        queue.add("a")
        queue.add("b")
        assert sorted(await asyncio.gather(*workers)) == ["a", "b"]

    with_queue(story)


def test_a_later_key_comes_when_it_is_due() -> None:
    async def story(queue: Queue) -> None:
        queue.add_after("a", 30)
        assert await queue.get() == "a"
        assert LoopClock().monotonic() == pytest.approx(30, abs=0.01)

    with_queue(story)


@pytest.mark.parametrize("delays", [(30, 5), (5, 30)])
def test_of_several_delays_the_earliest_counts_and_only_once(delays: tuple[float, float]) -> None:
    async def story(queue: Queue) -> None:
        for delay in delays:
            queue.add_after("a", delay)
        queue.done(await queue.get())
        assert LoopClock().monotonic() == pytest.approx(5, abs=0.01)
        await asyncio.sleep(60)
        assert await empty(queue)

    with_queue(story)


def test_an_earlier_delay_wakes_a_worker_that_waits_for_a_later_one() -> None:
    async def story(queue: Queue) -> None:
        queue.add_after("late", 100)
        worker = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add_after("soon", 1)
        assert await worker == "soon"

    with_queue(story)


def test_no_delay_at_all_is_an_addition() -> None:
    async def story(queue: Queue) -> None:
        queue.add_after("a", 0)
        assert queue.depth() == 1

    with_queue(story)


def test_the_delay_of_a_key_that_fails_doubles_up_to_its_bound() -> None:
    async def story(queue: Queue) -> None:
        delays = [queue.retry("a") for _ in range(40)]
        assert delays[:3] == [BASE_DELAY_SECONDS * factor for factor in (2, 4, 8)]
        assert delays[-1] == MAX_DELAY_SECONDS

    with_queue(story)


def test_the_jitter_takes_up_to_half_of_the_delay() -> None:
    assert WorkQueue[str](lambda: 0.0, lambda: 0.0).retry("a") == BASE_DELAY_SECONDS


def test_a_key_that_was_reconciled_starts_with_a_short_delay_again() -> None:
    async def story(queue: Queue) -> None:
        first = queue.retry("a")
        queue.retry("a")
        queue.forget("a")
        assert queue.retry("a") == first

    with_queue(story)


def test_failures_of_one_key_do_not_delay_another() -> None:
    async def story(queue: Queue) -> None:
        for _ in range(20):
            queue.retry("poison")
        assert queue.retry("good") == 2 * BASE_DELAY_SECONDS

    with_queue(story)


def test_closing_wakes_every_waiting_worker() -> None:
    async def story(queue: Queue) -> None:
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(1)
        queue.close()
        answers = await asyncio.gather(*workers, return_exceptions=True)
        assert [type(answer) for answer in answers] == [QueueClosedError] * 3

    with_queue(story)


def test_a_closed_queue_hands_out_nothing_that_waited_was_due_or_became_dirty_in_work() -> None:
    async def story(queue: Queue) -> None:
        queue.add("in work")
        await queue.get()
        queue.add("in work")
        queue.add("waiting")
        queue.add_after("due", 1)
        queue.close()
        queue.done("in work")
        queue.add("new")
        await asyncio.sleep(2)
        with pytest.raises(QueueClosedError):
            await queue.get()

    with_queue(story)


def test_a_worker_that_is_canceled_together_with_an_addition_ends() -> None:
    async def story(queue: Queue) -> None:
        worker = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add("a")
        await queue.get()
        worker.cancel()
        await asyncio.wait([worker], timeout=60)
        assert worker.cancelled()

    with_queue(story)


def test_the_oldest_age_is_that_of_a_stuck_key_in_work() -> None:
    async def story(queue: Queue) -> None:
        queue.add("stuck")
        await queue.get()
        await asyncio.sleep(100)
        queue.add("young")
        assert queue.oldest_seconds() == pytest.approx(100, abs=0.01)

    with_queue(story)


def test_an_idle_queue_has_no_age() -> None:
    async def story(queue: Queue) -> None:
        queue.add("a")
        queue.done(await queue.get())
        await asyncio.sleep(100)
        assert queue.oldest_seconds() == 0

    with_queue(story)
