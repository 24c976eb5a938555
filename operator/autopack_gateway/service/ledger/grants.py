"""Grants: what the pod of an attempt may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from autopack.errors import InvalidInput, printable

from .amounts import Limits

_Text = Annotated[str, Field(max_length=512)]
_Name = Annotated[str, Field(min_length=1, max_length=512)]


class _Model(BaseModel):
    # What a newer operator sends beside is not ours to judge.
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Allowed(_Model):
    """A provider, and patterns of its models (none: all)."""

    name: _Name
    models: tuple[_Name, ...] = ()


class Budget(_Model):
    """A bound that everything with the same scope shares."""

    scope: _Name
    usd: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    requests: Annotated[int, Field(ge=0)] | None = None

    @property
    def limits(self) -> Limits:
        """The bounds."""
        return Limits(self.usd, self.tokens, self.requests)


class Grant(_Model):
    """See contract/messages.py."""

    uid: _Name
    attempt: Annotated[int, Field(ge=0)]
    pod_uid: _Name
    run_name: _Text = ""
    batch: _Text = ""
    providers: tuple[Allowed, ...] = ()
    budgets: tuple[Budget, ...] = ()
    priority: int = 0

    def allowed(self, provider: str) -> Allowed | None:
        """Return what is said about a provider."""
        return next((one for one in self.providers if one.name == provider), None)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Where a request of this run counts: its own scope and its batch's, whether bounded or not, and the others."""
        own = [f"run:{self.uid}", *([f"batch:{self.batch}"] if self.batch else [])]
        return tuple(dict.fromkeys([*own, *(budget.scope for budget in self.budgets)]))

    def document(self) -> dict[str, Any]:
        """Return what JSON can keep."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def grant_of(document: Mapping[str, Any] | bytes) -> Grant:
    """Read a grant; InvalidInput names the field that is wrong."""
    try:
        if isinstance(document, bytes):
            return Grant.model_validate_json(document)
        return Grant.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "grant"
        raise InvalidInput(printable(field, 80), first["msg"].lower(), "Correct it and send the grant again") from error
