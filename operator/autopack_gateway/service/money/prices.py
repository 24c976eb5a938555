"""Prices in USD: exact decimal numbers, never floats."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import NamedTuple

from .tokens import Tokens

_MILLION = Decimal(1_000_000)
_WRITING = Decimal("1.25")
"""What writing into the cache costs, as a multiple of plain input, where the price does not say."""


class Price(NamedTuple):
    """For a million tokens of each kind. `model` is a pattern as in fnmatch.

    `max_output` is how much an answer may cost at most where the request does not bound it.
    """

    model: str
    input: Decimal
    output: Decimal
    cached: Decimal
    written: Decimal
    max_output: int

    @classmethod
    def of(
        cls,
        model: str,
        per_input: Decimal,
        per_output: Decimal,
        per_cached: Decimal | None = None,
        per_written: Decimal | None = None,
        max_output: int = 32768,
    ) -> Price:
        """Return a price; what is read from the cache costs as much as other input where nothing is said."""
        return cls(
            model,
            per_input,
            per_output,
            per_input if per_cached is None else per_cached,
            per_input * _WRITING if per_written is None else per_written,
            max_output,
        )

    def cost(self, tokens: Tokens) -> Decimal:
        """Return what these tokens cost."""
        plain = max(0, tokens.input - tokens.cached - tokens.written)
        return (
            plain * self.input
            + tokens.output * self.output
            + tokens.cached * self.cached
            + tokens.written * self.written
        ) / _MILLION

    def at_most(self, tokens: Tokens) -> Decimal:
        """Return what these tokens cost if all input is of the dearest kind: what is reserved for a request."""
        return (tokens.input * max(self.input, self.cached, self.written) + tokens.output * self.output) / _MILLION


def price_of(prices: Sequence[Price], model: str) -> Price | None:
    """Return the first price whose pattern the model matches."""
    return next((price for price in prices if fnmatchcase(model, price.model)), None)


def as_text(amount: Decimal) -> str:
    """Return an amount as plain digits: no exponent, no zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
