"""The parts of the leading process: one that ends, whether it raises or returns, ends the process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.unit.autopack_operator.app.held_loop import play
from tests.unit.autopack_operator.app.simulation import Process, Simulation
from tests.unit.autopack_operator.builders import NAMESPACE

from autopack_operator.app.application import Application
from autopack_operator.app.supervision import Part, PartEndedError, beside
from autopack_operator.domain.keys import Key, Kind

PARTS = ("resync", "orphans", "late leases", "history", "events")
AN_HOUR = 3600.0


async def returns() -> None:
    """A part that ends as if it had nothing to do."""


async def fails() -> None:
    """A part that meets what it does not know."""
    raise ZeroDivisionError


async def act(prepare: Callable[[Application], None]) -> None:
    """Lead for an hour, over a cluster in which nothing happens; a TimeoutError if nothing ends that."""
    application = Process(Simulation()).application
    prepare(application)
    async with asyncio.timeout(AN_HOUR):
        await application.run()


def test_every_part_is_known_here() -> None:
    async def program() -> None:
        assert tuple(Process(Simulation()).application.parts) == PARTS

    play(program())


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(("part", "error"), [(returns, PartEndedError), (fails, ZeroDivisionError)])
def test_a_part_that_ends_ends_the_process(name: str, part: Part, error: type[Exception]) -> None:
    def prepare(application: Application) -> None:
        application.parts[name] = part

    with pytest.raises(ExceptionGroup) as ended:
        play(act(prepare))
    assert ended.group_contains(error)


@pytest.mark.parametrize(("part", "error"), [(returns, PartEndedError), (fails, ZeroDivisionError)])
def test_workers_that_end_end_the_process(part: Part, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExceptionGroup) as ended:
        play(act(lambda application: monkeypatch.setattr(application.controller, "run", part)))
    assert ended.group_contains(error)


def test_a_process_all_of_whose_parts_go_on_goes_on() -> None:
    with pytest.raises(TimeoutError):
        play(act(lambda _: None))


def test_the_end_of_the_queue_is_an_orderly_one() -> None:
    def close_later(application: Application) -> None:
        asyncio.get_running_loop().call_later(60, application.queue.close)

    play(act(close_later))


def test_a_standby_keeps_no_queue() -> None:
    async def program() -> None:
        application = Process(Simulation()).application
        application.enqueue(Key(Kind.RUN, NAMESPACE, "one"))
        assert application.queue.depth() == 0

    play(program())


def test_parts_are_canceled_and_waited_for_when_the_work_is_done() -> None:
    async def program() -> None:
        over: list[str] = []

        async def part() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(1)
                over.append("part")

        await beside({"part": part}, asyncio.sleep(1))
        assert over == ["part"]

    play(program())
