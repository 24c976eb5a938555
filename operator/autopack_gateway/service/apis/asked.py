"""What a request asks for, as far as money is concerned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autopack.errors import InvalidInput

BYTES_PER_TOKEN = 2
"""Text has three to four bytes a token; two, so that a reservation is not below what is used."""
OF_THE_PROVIDER = 1000
"""Input tokens that a provider adds to a request, for tools for example."""


class Asked(NamedTuple):
    """The model, the input at most, and the output at most where the request bounds it."""

    model: str
    input: int
    output: int | None


def model_in(document: Mapping[str, Any]) -> str:
    """Return the model that a request names."""
    model = document.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= 200 or not model.isprintable():
        raise InvalidInput("model", "is not the name of a model", "Name one, as text")
    return model


def input_of(size: int) -> int:
    """Return how many input tokens a body of so many bytes has at most."""
    return size // BYTES_PER_TOKEN + OF_THE_PROVIDER


def bound(document: Mapping[str, Any], *names: str) -> int | None:
    """Return the bound on the output; several names of it: the first that is given."""
    for name in names:
        value = document.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InvalidInput(name, "is not a number of tokens", "Give a whole number")
        return value
    return None
