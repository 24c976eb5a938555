"""Parts of the process that run beside each other. None has an end of its own: one that ends, ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

Part = Callable[[], Awaitable[object]]


class PartEndedError(Exception):
    """A part returned, though it has no end of its own."""


async def beside(parts: Mapping[str, Part], work: Awaitable[None]) -> None:
    """Do the work to its end beside the parts, and cancel them then.

    A part that ends before, whether it raises or returns, ends the work: an ExceptionGroup of what was raised, or of
    PartEndedError.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_endless(name, part), name=name) for name, part in parts.items()]
        await work
        for task in tasks:
            task.cancel()


async def _endless(name: str, part: Part) -> NoReturn:
    await part()
    raise PartEndedError(f"the part {name!r} ended by itself")


async def every(seconds: float, look: Part) -> NoReturn:
    """Look now, and again so long after each look."""
    while True:
        await look()
        await asyncio.sleep(seconds)
