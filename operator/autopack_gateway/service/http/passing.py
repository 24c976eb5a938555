"""Passes requests of runs on: a turn, a reservation on the disk, the provider's answer, the settlement."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping

import aiohttp
from aiohttp import web
from yarl import URL

from autopack.failpoints import hit
from autopack.log import log
from autopack_gateway.contract import reasons
from autopack_gateway.service.apis.routes import address
from autopack_gateway.service.apis.usage import Reader
from autopack_gateway.service.governor import tries, waits
from autopack_gateway.service.governor.governor import Governor
from autopack_gateway.service.ledger.admission import Verdict, decide
from autopack_gateway.service.ledger.amounts import Amount
from autopack_gateway.service.ledger.files import FencedError
from autopack_gateway.service.ledger.grants import Grant
from autopack_gateway.service.ledger.journal import Journal
from autopack_gateway.service.metrics import Metrics
from autopack_gateway.service.money.tokens import Tokens
from autopack_gateway.service.providers import KeyMissingError, Provider
from autopack_gateway.service.settings import Limits

from .answers import RefusedError, not_active
from .asking import Ask, Bill, grant_for, line_of
from .headers import towards_agent, towards_upstream

_CONNECT_SECONDS = 15


class Passing:
    """Passes requests on to the providers, each under its governor."""

    def __init__(self, providers: Mapping[str, Provider], limits: Limits, metrics: Metrics) -> None:
        self._limits, self._metrics = limits, metrics
        self.governors = {name: Governor(provider.concurrency) for name, provider in providers.items()}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections to the providers."""
        if self._session is not None:
            await self._session.close()

    async def serve(
        self, request: web.Request, ask: Ask, pod: str, journal: Callable[[], Journal | None]
    ) -> web.StreamResponse:
        """Answer a request; RefusedError when the provider is not asked, or cannot be reached."""
        one = _Request(request, ask, self._limits, self._metrics, self.governors[ask.provider.name])
        while True:
            grant = grant_for(_active(journal).books, pod)
            answer = await one.take_turn(grant, pod, journal, self._upstream())
            if answer is not None:
                return answer
            await one.wait()

    def _upstream(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No limit here: the governors have their own. No cookies: what one run is told is not another's.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._limits.silence
                ),
            )
        return self._session


class _Request:
    """One request of a run, until it is answered."""

    def __init__(self, request: web.Request, ask: Ask, limits: Limits, metrics: Metrics, governor: Governor) -> None:
        self._request, self._ask, self._limits = request, ask, limits
        self._metrics, self._governor = metrics, governor
        self._arrived = time.monotonic()
        self._failures = self._refusals = 0
        self._delay = 0.0
        self._change: asyncio.Event | None = None

    async def wait(self) -> None:
        """Wait until the next try makes sense, without a turn."""
        if self._change is not None:
            await self._change.wait()
        elif self._delay:
            # Those that were refused together do not come back together.
            await asyncio.sleep(self._delay * random.uniform(0.7, 1.0))  # noqa: S311 - no secret
        self._change, self._delay = None, 0.0

    async def take_turn(
        self, grant: Grant, pod: str, journal: Callable[[], Journal | None], upstream: aiohttp.ClientSession
    ) -> web.StreamResponse | None:
        """Wait for a turn and use it; None: `wait`, and take another."""
        line = line_of(grant)
        await self._governor.enter(line)
        try:
            # While it waited, the attempt may have ended, or its budget.
            books = _active(journal)
            grant = grant_for(books.books, pod)
            if self._ask.bill is None:
                return await self._send(_Free(), upstream)
            if not self._may(self._ask.bill, grant, books):
                return None
            async with _Charge(books, grant, self._ask, self._metrics) as charge:
                return await self._send(charge, upstream)
        finally:
            self._governor.leave(line)

    def _may(self, bill: Bill, grant: Grant, journal: Journal) -> bool:
        decision = decide(journal.books, grant, bill.reserved)
        if decision.verdict is Verdict.REFUSE:
            journal.exhausted(grant.uid, decision.scope)
            message = (
                f"The budget of {_in_words(decision.scope)} is used up ({decision.used}), so this request was not"
                " sent. The run's work is kept; a higher budget lets it go on."
            )
            raise RefusedError(403, reasons.BUDGET_EXHAUSTED, message)
        if decision.verdict is Verdict.WAIT:
            self._change = journal.changed
            return False
        return True

    async def _send(self, charge: _Charge | _Free, upstream: aiohttp.ClientSession) -> web.StreamResponse | None:
        ask = self._ask
        try:
            headers = towards_upstream(self._request.headers, ask.provider.credentials())
        except KeyMissingError as error:
            log("error", str(error))
            raise RefusedError(502, reasons.KEY_REFUSED, f"{error}.") from error
        url = address(ask.provider.api, ask.provider.upstream, ask.path)
        query = self._request.rel_url.raw_query_string
        target = URL(f"{url}?{query}" if query else url, encoded=True)
        sent = self._governor.now()
        self._metrics.wait_seconds.labels(ask.provider.name).observe(time.monotonic() - self._arrived)
        charge.unknown()
        try:
            async with upstream.request(
                ask.method, target, data=ask.body or None, headers=headers, allow_redirects=False
            ) as answer:
                hit("gateway.forwarded")
                self._metrics.upstream_seconds.labels(ask.provider.name).observe(self._governor.now() - sent)
                return await self._answered(answer, charge, sent)
        except aiohttp.ClientConnectorError as error:
            charge.nothing()
            self._unreachable(error)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._unreachable(error)
        return None

    def _unreachable(self, error: Exception) -> None:
        """Try again later, or raise RefusedError."""
        self._failures += 1
        self._delay = tries.backed_off(self._failures, self._limits.backoff)
        name = self._ask.provider.name
        if self._failures >= tries.FAILURES or self._delay >= self._patience():
            log("warning", "a provider cannot be reached", provider=name, error=repr(error))
            message = f"The provider {name} does not answer ({type(error).__name__})."
            raise RefusedError(502, reasons.UPSTREAM_UNREACHABLE, message) from error
        self._metrics.retries.labels(name, type(error).__name__).inc()

    async def _answered(
        self, answer: aiohttp.ClientResponse, charge: _Charge | _Free, sent: float
    ) -> web.StreamResponse | None:
        name, now = self._ask.provider.name, time.time()
        if answer.status >= 300:
            charge.nothing()
        saturated, wait = tries.is_saturated(answer.status, answer.headers), waits.asked_for(answer.headers, now)
        if saturated:
            self._refusals += 1
            self._governor.refused(sent, wait)
        else:
            self._failures += answer.status >= 500
            self._governor.answered()
            self._governor.pause(waits.used_up(answer.headers, now))
        again = tries.after_answer(
            answer.status,
            saturated=saturated,
            wait=wait,
            tries=self._refusals if saturated else self._failures,
            left=self._patience(),
            backoff=self._limits.backoff,
        )
        if again is not None:
            self._delay = again.after
            self._metrics.retries.labels(name, str(answer.status)).inc()
            return None
        self._metrics.requests.labels(name, str(answer.status)).inc()
        if answer.status == 401:
            log("error", "a provider refuses the installation's key", provider=name, answer=await _start_of(answer))
            message = f"The provider {name} does not take this installation's key."
            raise RefusedError(502, reasons.KEY_REFUSED, message)
        return await self._relay(answer, charge)

    async def _relay(self, answer: aiohttp.ClientResponse, charge: _Charge | _Free) -> web.StreamResponse:
        """Send the answer on while it comes. From here on nothing is tried again."""
        reader = charge.read(answer, hide=self._ask.hide)
        response = web.StreamResponse(status=answer.status, headers=towards_agent(answer.headers))
        try:
            await response.prepare(self._request)
            async for piece in answer.content.iter_any():
                if out := reader.feed(piece) if reader else piece:
                    await response.write(out)
                hit("gateway.streaming")
            if reader and (out := reader.end()):
                await response.write(out)
            # Before the agent knows that this is all: whoever asks then what was spent is told of it.
            charge.settle()
            await response.write_eof()
        except (aiohttp.ClientError, TimeoutError, OSError):
            # It broke off, on one side or the other, and so it does on the other.
            if self._request.transport is not None:
                self._request.transport.abort()
        return response

    def _patience(self) -> float:
        return self._limits.patience - (time.monotonic() - self._arrived)


class _Free:
    """A request that costs nothing."""

    def unknown(self) -> None: ...

    def nothing(self) -> None: ...

    def settle(self) -> None: ...

    def read(self, answer: aiohttp.ClientResponse, *, hide: bool) -> Reader | None:  # noqa: ARG002
        return None


class _Charge:
    """What one try of a request costs its run: reserved on the disk at the beginning, settled at the end."""

    def __init__(self, journal: Journal, grant: Grant, ask: Ask, metrics: Metrics) -> None:
        if ask.bill is None:
            raise ValueError("a request that costs nothing has no charge")
        self._journal, self._grant, self._bill, self._metrics = journal, grant, ask.bill, metrics
        self._provider = ask.provider.name
        self._reader: Reader | None = None
        self._amount: Amount | None = Amount()
        self._identity = ""

    async def __aenter__(self) -> _Charge:
        model = f"{self._provider}/{self._bill.model}"
        self._identity, kept = self._journal.reserve(self._grant, model, self._bill.reserved)
        try:
            await asyncio.shield(kept)
        except BaseException:
            self.settle()
            raise
        hit("gateway.reserved")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.settle()

    def unknown(self) -> None:
        """From now on nobody knows what it costs, until it is said."""
        self._amount = self._bill.unknown

    def nothing(self) -> None:
        """It costs nothing."""
        self._amount = Amount()

    def read(self, answer: aiohttp.ClientResponse, *, hide: bool) -> Reader | None:
        """Return what reads the usage in an answer; None for a refusal, which costs nothing but is a request."""
        if answer.status >= 300:
            self._amount = Amount(requests=1)
            return None
        self._reader = self._bill.route.reader(answer.headers.get("Content-Type", ""), hide=hide)
        return self._reader

    def settle(self) -> None:
        """Say what it cost, once."""
        if self._amount is None:
            return
        amount = self._amount if self._reader is None else self._told(self._reader)
        self._amount = None
        hit("gateway.before_settle")
        # A journal that cannot be written any more has the reservation, or never let the request go out.
        with contextlib.suppress(OSError, FencedError):
            self._journal.settle(self._identity, amount)
        hit("gateway.settled")

    def _told(self, reader: Reader) -> Amount:
        tokens, estimated = reader.told.settled(self._bill.most)
        usd = self._bill.price.at_most(tokens) if estimated else self._bill.price.cost(tokens)
        self._count(tokens, float(usd))
        return Amount.of(tokens, usd, estimated=estimated)

    def _count(self, tokens: Tokens, usd: float) -> None:
        model = self._bill.model
        for kind in ("input", "output", "cached"):
            self._metrics.tokens.labels(self._provider, model, kind).inc(getattr(tokens, kind))
        self._metrics.cost.labels(self._provider, model).inc(usd)


def _active(journal: Callable[[], Journal | None]) -> Journal:
    found = journal()
    if found is None:
        raise not_active()
    return found


def _in_words(scope: str) -> str:
    kind, _, rest = scope.partition(":")
    if kind == "profile":
        return f"the run profile {rest.partition(':')[0]}"
    return {"run": "this run", "batch": "this run's batch"}.get(kind, scope)


async def _start_of(answer: aiohttp.ClientResponse) -> str:
    return (await answer.content.read(500)).decode("utf-8", "replace")
