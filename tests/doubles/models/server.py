"""The double as an HTTP service."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from aiohttp import web

from tests.doubles.models import anthropic, chat, openai, responses
from tests.doubles.models.accounts import Account
from tests.doubles.models.conversation import Answer, JsonDict, Request, answer
from tests.doubles.models.script import Script
from tests.doubles.models.troubles import Troubles, is_due

REMEMBERED = 1000
LARGEST_BODY = 64 << 20


@dataclass(frozen=True)
class Api:
    """One API: how its requests are read and its answers and refusals written."""

    name: str
    read: Callable[[JsonDict], Request]
    whole: Callable[[Request, Answer], JsonDict]
    events: Callable[[Request, Answer], Iterator[Any]]
    frame: Callable[[Any], bytes]
    refusals: ModuleType
    """Has `error(status, message)` and `OVERLOADED`, the status that means it."""
    done: bytes = b""
    """What ends a stream."""


ANTHROPIC = Api("messages", anthropic.read, anthropic.whole, anthropic.events, anthropic.frame, anthropic)
CHAT = Api("chat/completions", chat.read, chat.whole, chat.events, chat.frame, openai, chat.DONE)
RESPONSES = Api("responses", responses.read, responses.whole, responses.events, responses.frame, openai)


class Double:
    """Accounts, script and troubles of one service. Tests look at it, and change it, below `/double`."""

    def __init__(self, script: Script, keys: Sequence[str], *, seconds: float = 0) -> None:
        self._script, self._seconds = script, seconds
        self._accounts = {key: Account() for key in keys}
        self._troubles = Troubles()
        self._seen: deque[JsonDict] = deque(maxlen=REMEMBERED)

    def app(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application(client_max_size=LARGEST_BODY)
        for api in (ANTHROPIC, CHAT, RESPONSES):
            app.router.add_post(f"/v1/{api.name}", self._asked(api))
        app.router.add_post("/v1/messages/count_tokens", self._count)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/double/counts", self._counts)
        app.router.add_get("/double/requests", self._requests)
        app.router.add_put("/double/troubles", self._set_troubles)
        return app

    def _asked(self, api: Api) -> Callable[[web.Request], Any]:
        async def handle(call: web.Request) -> web.StreamResponse:
            account = self._account(call)
            if account is None:
                return _refusal(api.refusals, 401, "the key is not valid")
            if (refused := self._trouble(api, account)) is not None:
                return refused
            try:
                request = api.read(await call.json())
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                return _refusal(api.refusals, 400, f"not a request of this API: {error!r}")
            given = answer(self._script, request)
            self._seen.append({"api": api.name, **asdict(request), "tools": [tool.name for tool in request.tools]})
            await asyncio.sleep(self._seconds)
            account.charge(given.usage)
            if request.stream:
                told = not self._troubles.silent or api is not CHAT or request.usage_asked
                return await self._stream(call, api, account, request, given, told)
            return web.json_response(api.whole(request, given))

        return handle

    def _trouble(self, api: Api, account: Account) -> web.Response | None:
        account.requests += 1
        if wait := account.allow(self._troubles):
            account.limited += 1
            return _refusal(api.refusals, 429, "too many requests", {"Retry-After": str(math.ceil(wait))})
        if is_due(self._troubles.overloaded_every, account.requests):
            account.overloaded += 1
            return _refusal(api.refusals, api.refusals.OVERLOADED, "overloaded")
        if is_due(self._troubles.failed_every, account.requests):
            account.failed += 1
            return _refusal(api.refusals, 500, "an internal error")
        return None

    async def _stream(
        self, call: web.Request, api: Api, account: Account, request: Request, given: Answer, told: bool
    ) -> web.StreamResponse:
        account.streams += 1
        events = list(api.events(request, given))
        frames = [api.frame(event) for event in (events if told else events[:-1])] + [api.done] * bool(api.done)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await stream.prepare(call)
        if is_due(self._troubles.cut_every, account.streams):
            account.cut += 1
            for frame in itertools.islice(frames, len(frames) // 2):
                await stream.write(frame)
            if call.transport is not None:
                call.transport.close()
            return stream
        for frame in frames:
            await stream.write(frame)
        return stream

    async def _count(self, call: web.Request) -> web.Response:
        if self._account(call) is None:
            return _refusal(anthropic, 401, "the key is not valid")
        return web.json_response({"input_tokens": len(await call.text()) // 4})

    async def _models(self, call: web.Request) -> web.Response:
        own = anthropic if "anthropic-version" in call.headers else openai
        if self._account(call) is None:
            return _refusal(own, 401, "the key is not valid")
        return web.json_response(own.models(sorted(self._script.turns)))

    async def _counts(self, _: web.Request) -> web.Response:
        return web.json_response({key: account.counts() for key, account in self._accounts.items()})

    async def _requests(self, _: web.Request) -> web.Response:
        return web.json_response(list(self._seen))

    async def _set_troubles(self, call: web.Request) -> web.Response:
        self._troubles = Troubles(**await call.json())
        for account in self._accounts.values():
            account.bucket = None
        return web.json_response(asdict(self._troubles))

    def _account(self, call: web.Request) -> Account | None:
        """The account of the request's key: `x-api-key`, or a bearer token, as both APIs take it."""
        given = call.headers.get("x-api-key") or call.headers.get("Authorization", "").removeprefix("Bearer ")
        known = (key for key in self._accounts if hmac.compare_digest(key.encode(), given.encode()))
        return next((self._accounts[key] for key in known), None)


def _refusal(refusals: Any, status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(refusals.error(status, message), status=status, headers=headers)
