"""Tokens of a request, as prices count them."""

from __future__ import annotations

from typing import NamedTuple


class Tokens(NamedTuple):
    """`input` includes `cached` (read from the provider's cache) and `written` (newly put there)."""

    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0

    @property
    def total(self) -> int:
        """What a budget in tokens counts."""
        return self.input + self.output
