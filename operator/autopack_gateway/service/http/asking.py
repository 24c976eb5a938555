"""What a run's request is: whose, to which provider, and what it may cost at most. No effects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from autopack.errors import InvalidInput, printable
from autopack_gateway.contract import reasons
from autopack_gateway.service.apis.routes import Route, is_free, route_of
from autopack_gateway.service.governor.fair_queue import Line
from autopack_gateway.service.ledger.amounts import Amount
from autopack_gateway.service.ledger.books import Books
from autopack_gateway.service.ledger.grants import Allowed, Grant
from autopack_gateway.service.money.prices import Price, price_of
from autopack_gateway.service.money.tokens import Tokens
from autopack_gateway.service.providers import Provider, matches

from .answers import RefusedError

_NO_PRICE = Price.of("*", Decimal(0), Decimal(0))


class Bill(NamedTuple):
    """A request that costs: how its answer is read, and what it may use at most."""

    route: Route
    model: str
    price: Price
    most: Tokens

    @property
    def reserved(self) -> Amount:
        """What is reserved for it."""
        return Amount.of(self.most, self.price.at_most(self.most))

    @property
    def unknown(self) -> Amount:
        """What counts when nobody knows what became of it."""
        return self.reserved._replace(estimated=1)


class Ask(NamedTuple):
    """A request to be passed on; `bill` is None for one that costs nothing."""

    provider: Provider
    method: str
    path: str
    body: bytes
    bill: Bill | None
    hide: bool
    """Whether the usage in the answer's stream is only ours to see."""


def line_of(grant: Grant) -> Line:
    """Return where a run's requests stand in the queue."""
    return Line(grant.priority, grant.batch or f"of {grant.uid}", grant.uid)


def grant_for(books: Books, pod: str) -> Grant:
    """Return the pod's grant; RefusedError without one."""
    grant = books.grant_of_pod(pod)
    if grant is None:
        ended = books.has_ended(pod)
        message = "This attempt has ended or was replaced" if ended else "There is no grant for this pod yet"
        raise RefusedError(401, reasons.NOT_GRANTED, f"{message}: it may not ask for models.", again=not ended)
    return grant


def ask(provider: Provider, grant: Grant, method: str, path: str, body: bytes) -> Ask:
    """Read a request; RefusedError says why it does not pass."""
    allowed = grant.allowed(provider.name)
    if allowed is None:
        message = f"The run's profile does not name the provider {provider.name}."
        raise RefusedError(403, reasons.MODEL_NOT_ALLOWED, message)
    route = route_of(provider.api, method, path)
    if route is None:
        if not is_free(provider.api, method, path):
            message = f"{method} {printable(path, 100)} does not pass: the gateway cannot account for it."
            raise RefusedError(403, reasons.ROUTE_NOT_ALLOWED, message)
        return Ask(provider, method, path, body, None, hide=False)
    try:
        document = _document(body)
        bill = _bill(route, provider, document, len(body))
        prepared = route.prepared(document)
    except InvalidInput as error:
        raise RefusedError(400, reasons.INVALID_REQUEST, str(error)) from error
    _check(provider, allowed, grant, bill)
    if prepared is None:
        return Ask(provider, method, path, body, bill, hide=False)
    return Ask(provider, method, path, json.dumps(prepared).encode(), bill, hide=True)


def _bill(route: Route, provider: Provider, document: Mapping[str, Any], size: int) -> Bill:
    asked = route.asked(document, size)
    price = price_of(provider.prices, asked.model) or _NO_PRICE
    most = Tokens(asked.input, price.max_output if asked.output is None else asked.output)
    return Bill(route, asked.model, price, most)


def _check(provider: Provider, allowed: Allowed, grant: Grant, bill: Bill) -> None:
    model = printable(bill.model, 100)
    if not provider.has(bill.model) or not matches(bill.model, allowed.models):
        message = f"The run's profile does not allow the model {model} of the provider {provider.name}."
        raise RefusedError(403, reasons.MODEL_NOT_ALLOWED, message)
    if bill.price is _NO_PRICE and any(budget.usd is not None for budget in grant.budgets):
        message = f"The model {model} has no price here, and this run has a budget in USD. Add a price for it."
        raise RefusedError(403, reasons.MODEL_NOT_ALLOWED, message)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", "is not JSON", "Send a JSON object") from error
    if not isinstance(document, dict):
        raise InvalidInput("body", "is not a JSON object", "Send one")
    return document
