"""A part that fails takes no other part's figures with it."""

from __future__ import annotations

import asyncio

import pytest
from bench.figures import Figure, table
from bench.parts import Parts, reason


@pytest.mark.parametrize("error", [RuntimeError("no\nroom"), SystemExit("no room")])
def test_a_part_that_fails_is_noted_and_the_next_one_is_measured(error: BaseException) -> None:
    parts = Parts()
    with parts.part("first"):
        raise error
    with parts.part("second"):
        parts.figures.append(Figure("key", "label", [1.0]))
    assert list(parts.lost) == ["first"]
    assert parts.lost["first"].endswith("no room")
    assert [figure.key for figure in parts.figures] == ["key"]
    assert set(parts.seconds) == {"first", "second"}


def test_what_a_part_found_before_it_failed_is_kept() -> None:
    parts = Parts()
    with parts.part("outer"), parts.part("inner"):
        parts.figures.append(Figure("key", "label", [1.0]))
        raise ValueError
    assert parts.lost == {"inner": "ValueError: ValueError"}
    assert len(parts.figures) == 1


def test_an_interrupt_ends_everything() -> None:
    parts = Parts()
    with pytest.raises(KeyboardInterrupt), parts.part("first"):
        raise KeyboardInterrupt
    assert parts.lost == {}


def test_a_part_that_hangs_is_given_up() -> None:
    parts = Parts()

    async def hang() -> None:
        async with parts.bounded("hanging", 0):
            await asyncio.Event().wait()

    asyncio.run(hang())
    assert parts.lost == {"hanging": "RuntimeError: not over within 0 s"}


def test_the_reason_is_that_of_the_first_task_that_failed() -> None:
    assert reason(ExceptionGroup("group", [ValueError("why"), OSError("other")])) == "ValueError: why"


def test_the_table_says_what_was_not_measured_and_why() -> None:
    last = table([Figure("key", "label", [1.0])], {"keeper": "a|b"}).splitlines()[-1]
    assert last.count("|") == 8
    assert "keeper" in last
    assert "not measured: a/b" in last
