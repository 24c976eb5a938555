"""The workers between queue and reconcilers, on held time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.unit.autopack_operator.app.held_loop import LoopClock, play
from tests.unit.autopack_operator.builders import NAMESPACE
from tests.unit.autopack_operator.fakes import SilentTelemetry

from autopack_operator.app.controller import Controller, Reconcile
from autopack_operator.app.queue import WorkQueue
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.ports.cluster import ConflictError, TransientError

Queue = WorkQueue[Key]


def key(name: str, kind: Kind = Kind.RUN) -> Key:
    return Key(kind, NAMESPACE, name)


def control(reconcile: Reconcile, story: Callable[[Queue], Awaitable[None]], workers: int = 2) -> None:
    """Play the story beside a controller, then close the queue and see the controller end."""

    async def program() -> None:
        queue: Queue = WorkQueue(LoopClock().monotonic, lambda: 1.0)
        controller = Controller(queue, {Kind.RUN: reconcile, Kind.BATCH: reconcile}, SilentTelemetry(), workers)
        working = asyncio.create_task(controller.run())
        await story(queue)
        queue.close()
        async with asyncio.timeout(60):
            await working

    play(program())


class Recorder:
    """A reconciler that takes a second, remembers, and answers as told, call by call."""

    def __init__(self, *answers: float | Exception | None) -> None:
        self._answers = list(answers)
        self.calls: list[tuple[str, float]] = []
        self.at_once = self.most_at_once = 0

    async def __call__(self, key: Key) -> float | None:
        self.calls.append((key.name, round(LoopClock().monotonic(), 2)))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(1)
        self.at_once -= 1
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_reconciler_that_asks_for_it_is_called_again_after_that_time() -> None:
    recorder = Recorder(30.0)

    async def story(queue: Queue) -> None:
        queue.add(key("a"))
        await asyncio.sleep(60)

    control(recorder, story)
    assert recorder.calls == [("a", 0.0), ("a", 31.0)]


@pytest.mark.parametrize("error", [ConflictError(), TransientError(), RuntimeError("a bug")])
def test_a_key_whose_reconcile_fails_comes_back(error: Exception) -> None:
    recorder = Recorder(error)

    async def story(queue: Queue) -> None:
        queue.add(key("a"))
        await asyncio.sleep(60)

    control(recorder, story)
    assert recorder.calls == [("a", 0.0), ("a", 1.1)]


def test_a_success_makes_the_next_failures_delay_short_again() -> None:
    recorder = Recorder(TransientError(), TransientError(), None, TransientError())

    async def story(queue: Queue) -> None:
        queue.add(key("a"))
        await asyncio.sleep(10)
        queue.add(key("a"))
        await asyncio.sleep(60)

    control(recorder, story)
    assert [moment for _, moment in recorder.calls] == [0.0, 1.1, 2.3, 10.0, 11.1]


def test_one_poisonous_key_does_not_block_the_others() -> None:
    seen: list[str] = []

    async def reconcile(key: Key) -> None:
        seen.append(key.name)
        if key.name == "poison":
            raise ValueError("odd")

    async def story(queue: Queue) -> None:
        queue.add(key("poison"))
        for number in range(10):
            queue.add(key(f"good{number}"))
        await asyncio.sleep(0.05)

    control(reconcile, story, workers=1)
    assert [name for name in seen if name != "poison"] == [f"good{number}" for number in range(10)]


def test_no_more_reconciles_go_on_at_once_than_there_are_workers() -> None:
    recorder = Recorder()

    async def story(queue: Queue) -> None:
        for number in range(9):
            queue.add(key(str(number)))
        await asyncio.sleep(60)

    control(recorder, story, workers=3)
    assert (recorder.most_at_once, len(recorder.calls)) == (3, 9)


def test_one_key_is_never_reconciled_twice_at_once() -> None:
    recorder = Recorder()

    async def story(queue: Queue) -> None:
        for _ in range(5):
            queue.add(key("a"))
            await asyncio.sleep(0.3)
        await asyncio.sleep(60)

    control(recorder, story)
    assert recorder.most_at_once == 1
    assert recorder.calls[-1][1] >= 1


def test_a_run_and_a_batch_of_one_name_are_two_keys() -> None:
    recorder = Recorder()

    async def story(queue: Queue) -> None:
        queue.add(key("a"))
        queue.add(key("a", Kind.BATCH))
        await asyncio.sleep(60)

    control(recorder, story)
    assert recorder.most_at_once == 2


def test_closing_lets_what_is_in_work_finish_and_nothing_else_start() -> None:
    recorder = Recorder()

    async def story(queue: Queue) -> None:
        for name in ("a", "b", "c"):
            queue.add(key(name))
        await asyncio.sleep(0.5)

    control(recorder, story)
    assert (recorder.at_once, [name for name, _ in recorder.calls]) == (0, ["a", "b"])


def test_it_is_crowded_while_more_keys_wait_for_a_worker_than_there_are_workers() -> None:
    crowded: list[bool] = []

    async def program() -> None:
        queue: Queue = WorkQueue(LoopClock().monotonic, lambda: 1.0)
        controller = Controller(queue, {Kind.RUN: Recorder()}, SilentTelemetry(), workers=2)
        working = asyncio.create_task(controller.run())
        for number in range(5):
            queue.add(key(f"r{number}"))
        for _ in range(3):
            await asyncio.sleep(0.5)
            crowded.append(controller.crowded())
            await asyncio.sleep(0.5)
        queue.close()
        async with asyncio.timeout(60):
            await working

    play(program())
    # Two of the five are in work, then two more, then the last.
    assert crowded == [True, False, False]
