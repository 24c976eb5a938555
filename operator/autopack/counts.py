"""How many of something, in words."""

from __future__ import annotations


def count_of(number: int, thing: str) -> str:
    """Return a number and its noun: `0 runs`, `1 run`, `2 runs`; `batch` and the like get `es`."""
    ending = "" if number == 1 else "es" if thing.endswith("ch") else "s"
    return f"{number} {thing}{ending}"
