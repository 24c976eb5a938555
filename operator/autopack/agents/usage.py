"""How much of a model an agent used, and what it cost: as numbers, and as the JSON object that everything passes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

MOST = 1_000_000_000_000
"""No number is larger, whatever an agent says: tokens, and millionths of a dollar."""

AGENT = "agent"
"""The source of numbers that the agent itself reports, and that nobody has checked."""

_MICRO = 1_000_000
_DOLLARS = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,6}))?", re.ASCII)


class Usage(NamedTuple):
    """Totals; what an agent does not report is None.

    `input_tokens` are all that were sent, `cached_tokens` those of them that came from the provider's cache;
    `output_tokens` include reasoning. `requests` are answers of a model, `turns` what the agent counts as such.
    `micro_usd` is the cost in millionths of a US dollar.
    """

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    turns: int | None = None
    micro_usd: int | None = None

    @property
    def known(self) -> bool:
        """Whether anything was reported."""
        return any(number is not None for number in self)

    @property
    def total_tokens(self) -> int | None:
        """What was sent and what was answered; None when neither is known."""
        return _sum(self.input_tokens, self.output_tokens)

    def plus(self, other: Usage) -> Usage:
        """Return the sum, of which no number is above MOST."""
        return Usage(*map(_sum, self, other))

    def since(self, before: Usage) -> Usage:
        """Return what was added since `before`."""
        pairs = zip(self, before, strict=True)
        return Usage(*(None if new is None else max(0, new - (old or 0)) for new, old in pairs))


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(MOST, one + other)


UNKNOWN = Usage()
"""Of an agent that reports nothing, or of none."""

_NAMES = {
    "requests": "requests",
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cachedTokens": "cached_tokens",
    "turns": "turns",
}


def to_json(usage: Usage) -> dict[str, int | str]:
    """Return the JSON object: what is known, `costUSD` as a decimal string, and `source`."""
    numbers = {name: getattr(usage, field) for name, field in _NAMES.items()}
    known: dict[str, int | str] = {name: number for name, number in numbers.items() if number is not None}
    if usage.micro_usd is not None:
        known["costUSD"] = dollars(usage.micro_usd)
    return known | {"source": AGENT}


def from_json(document: object) -> Usage:
    """Read a JSON object that anybody may have written: what is no number from 0 is left out, too much is MOST."""
    if not isinstance(document, Mapping):
        return UNKNOWN
    numbers = {field: count(document.get(name)) for name, field in _NAMES.items()}
    return Usage(**numbers, micro_usd=micro_dollars(document.get("costUSD")))


def count(value: object) -> int | None:
    """Return a whole number from 0 to MOST; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return int(min(value, MOST))


def micro(value: object) -> int | None:
    """Return an amount of dollars in millionths, from 0 to MOST; None for what is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return round(min(value, MOST // _MICRO) * _MICRO)


def dollars(micro_usd: int) -> str:
    """Return millionths of a dollar as `0.10` or `0.007785`: two to six decimals."""
    decimals = f"{micro_usd % _MICRO:06d}"
    return f"{micro_usd // _MICRO}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def micro_dollars(text: object) -> int | None:
    """Return the millionths of `0.007785`; None for what is no such text."""
    found = _DOLLARS.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else min(MOST, int(found[1]) * _MICRO + int((found[2] or "").ljust(6, "0")))
