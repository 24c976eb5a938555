"""Sums of requests, tokens and money, and the bounds of a budget."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from autopack_gateway.service.money.prices import as_text
from autopack_gateway.service.money.tokens import Tokens


class Amount(NamedTuple):
    """What was used, or is reserved. `estimated` counts requests whose usage was not told."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    usd: Decimal = Decimal(0)
    estimated: int = 0

    @classmethod
    def of(cls, tokens: Tokens, usd: Decimal, *, requests: int = 1, estimated: bool = False) -> Amount:
        """Return the amount of one request."""
        return cls(requests, tokens.input, tokens.output, tokens.cached, usd, int(estimated))

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Amount:
        """Read what `document` made."""
        return cls(**{**kept, "usd": Decimal(kept["usd"])})

    def document(self) -> dict[str, Any]:
        """Return what JSON can keep."""
        return {**self._asdict(), "usd": as_text(self.usd)}

    def plus(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(
            self.requests + other.requests,
            self.input + other.input,
            self.output + other.output,
            self.cached + other.cached,
            self.usd + other.usd,
            self.estimated + other.estimated,
        )

    def minus(self, other: Amount) -> Amount:
        """Return the difference."""
        return self.plus(
            Amount(-other.requests, -other.input, -other.output, -other.cached, -other.usd, -other.estimated)
        )


class Limits(NamedTuple):
    """The bounds of a scope; None where there is none."""

    usd: Decimal | None = None
    tokens: int | None = None
    requests: int | None = None

    def reached(self, amount: Amount) -> str:
        """Return which bound this amount has reached, in words; empty while something is left of each."""
        for unit, limit, used in self._pairs(amount):
            if used >= limit:
                return f"{as_text(used)} of {as_text(limit)} {unit}"
        return ""

    def exceeded(self, amount: Amount) -> bool:
        """Tell whether this amount is more than the bounds allow."""
        return any(used > limit for _, limit, used in self._pairs(amount))

    def _pairs(self, amount: Amount) -> list[tuple[str, Decimal, Decimal]]:
        tokens, requests = Decimal(amount.input + amount.output), Decimal(amount.requests)
        pairs = [("USD", self.usd, amount.usd), ("tokens", self.tokens, tokens), ("requests", self.requests, requests)]
        return [(unit, Decimal(limit), used) for unit, limit, used in pairs if limit is not None]
