"""Index ranges as Indexed Jobs write them: `0-3,7`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autopack_operator.domain.api.batch import MAX_RUNS

_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def parse(text: str) -> set[int]:
    """`0-3,7` -> {0, 1, 2, 3, 7}. Raises ValueError on anything else, and on an index that no batch can have: a status
    that somebody wrote by hand must not fill the memory.
    """
    found: set[int] = set()
    for part in text.split(",") if text else ():
        matched = _PART.fullmatch(part)
        if matched is None:
            raise ValueError(f"{part!r} is neither an index nor a range of indexes (0-3)")
        first, last = int(matched[1]), int(matched[2] or matched[1])
        if not first <= last < MAX_RUNS:
            raise ValueError(f"{part!r} is not a range of indexes below {MAX_RUNS}")
        found.update(range(first, last + 1))
    return found


def render(numbers: Iterable[int]) -> str:
    """{0, 1, 2, 3, 7} -> `0-3,7`."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
