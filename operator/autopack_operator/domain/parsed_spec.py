"""Stored specs are parsed once a generation of their object, not at every step of every reconcile."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from autopack_operator.domain.api.common import JsonDict

SpecT = TypeVar("SpecT", bound=BaseModel)


class ParsedSpec(Generic[SpecT]):
    """The newest spec of one object, as far as anybody has asked for it."""

    def __init__(self, model: type[SpecT]) -> None:
        self._model = model
        self._version: Hashable = None
        self._answer: tuple[SpecT | None, str] = None, ""

    def of(self, uid: str, generation: int, stored: JsonDict) -> tuple[SpecT | None, str]:
        """The spec of that generation; None, and what is wrong with it, when it cannot be parsed."""
        if self._version != (uid, generation):
            try:
                self._answer = self._model.model_validate(stored), ""
            except ValidationError as error:
                self._answer = None, explain(error)
            self._version = uid, generation
        return self._answer


def explain(error: ValidationError) -> str:
    """The first field that is wrong, and why."""
    first = error.errors()[0]
    field = ".".join(("spec", *(str(part) for part in first["loc"])))
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"
