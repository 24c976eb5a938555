"""The operator's requests: grants, and what was spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal

from aiohttp import web

from autopack.errors import InvalidInput
from autopack_gateway.contract import messages, routes
from autopack_gateway.service.governor.governor import Governor
from autopack_gateway.service.ledger.amounts import Amount
from autopack_gateway.service.ledger.books import Books, RunSum
from autopack_gateway.service.ledger.files import FencedError
from autopack_gateway.service.ledger.grants import grant_of
from autopack_gateway.service.ledger.journal import Journal
from autopack_gateway.service.money.prices import as_text

from .answers import failure


class Grants:
    """What the operator may do, at the active gateway."""

    def __init__(self, journal: Callable[[], Journal | None], governors: Mapping[str, Governor]) -> None:
        self._journal, self._governors = journal, governors

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        app.router.add_put(routes.GRANTS, self._grant)
        app.router.add_delete(routes.GRANT, self._revoke)
        app.router.add_get(routes.SPENT, self._spent)

    async def _grant(self, request: web.Request) -> web.Response:
        journal = self._journal()
        if journal is None:
            return _not_active()
        try:
            grant = grant_of(await request.read())
        except InvalidInput as error:
            return failure(400, error.reason, str(error))
        if grant.attempt < journal.books.fences.get(grant.uid, 0):
            message = f"attempt {grant.attempt} of the run has ended, or a later one has a grant"
            return failure(409, "Fenced", message)
        answer: messages.Granted = {"uid": grant.uid, "attempt": grant.attempt}
        return await _kept(journal.grant(grant), answer)

    async def _revoke(self, request: web.Request) -> web.Response:
        journal = self._journal()
        if journal is None:
            return _not_active()
        uid, attempt = request.match_info["uid"], request.match_info["attempt"]
        if not attempt.isdecimal() or len(attempt) > 9:
            return failure(400, "InvalidInput", "attempt: is not a number. Give the attempt's")
        answer: messages.Revoked = {"uid": uid, "attempt": int(attempt)}
        return await _kept(journal.revoke(uid, int(attempt)), answer)

    async def _spent(self, request: web.Request) -> web.Response:
        journal = self._journal()
        if journal is None:
            return _not_active()
        answer = spent(journal.books, journal.term, request.query.get("after", ""))
        answer["providers"] = [_busy(name, governor) for name, governor in self._governors.items()]
        return web.json_response(answer)


def spent(books: Books, term: int, after: str) -> messages.Spent:
    """Return what changed after a cursor. One of another term says nothing: what was told then may have been lost."""
    told_term, _, number = after.partition(".")
    since = int(number) if told_term == str(term) and number.isdecimal() else -1
    runs = [_run(uid, run) for uid, run in books.runs.items() if run.changed > since]
    return {"cursor": f"{term}.{books.number}", "runs": runs, "providers": []}


def _run(uid: str, run: RunSum) -> messages.RunUsed:
    total = Amount()
    for amount in run.per_model.values():
        total = total.plus(amount)
    per_model = {model: _used(amount) for model, amount in run.per_model.items()}
    return {"uid": uid, **_used(total), "perModel": per_model, "exhausted": run.exhausted}


def _used(amount: Amount) -> messages.Used:
    return {
        "requests": amount.requests,
        "inputTokens": amount.input,
        "outputTokens": amount.output,
        "cachedTokens": amount.cached,
        "costUSD": as_text(Decimal(amount.usd)),
        "estimated": amount.estimated,
    }


def _busy(name: str, governor: Governor) -> messages.Busy:
    state = governor.state
    return {
        "name": name,
        "concurrency": state.width,
        "underWay": state.under_way,
        "waiting": state.waiting,
        "pausedSeconds": round(state.paused, 3),
    }


async def _kept(future: asyncio.Future[None], answer: messages.Granted | messages.Revoked) -> web.Response:
    try:
        await asyncio.shield(future)
    except (OSError, FencedError):
        return _not_active()
    return web.json_response(answer)


def _not_active() -> web.Response:
    return failure(503, "NotActive", "this gateway is not the active one; ask again")
