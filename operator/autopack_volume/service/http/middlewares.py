"""What every request goes through: it is counted and logged, and its bearer proves who it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import Counter

from autopack.log import log
from autopack.service_tokens.tokens import DeniedError, Verifier
from autopack_volume.service.answers import Answer, failure

_OPEN = frozenset({"/livez", "/readyz", "/metrics"})
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def observed(requests: Counter) -> Middleware:
    """Return what counts requests by route and status, and logs those of the protocol."""

    @web.middleware
    async def observe(request: web.Request, handler: _Handler) -> web.StreamResponse:
        started, status = monotonic(), 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "none"
            requests.labels(f"{request.method} {route}", str(status)).inc()
            if route.startswith("/v1/"):
                milliseconds = round((monotonic() - started) * 1000)
                log("info", "request", method=request.method, path=request.path, status=status, ms=milliseconds)
        return response

    return observe


def authenticated(callers: Verifier, readers: Verifier) -> Middleware:
    """Return what lets in whom `callers` knows, and to look, whom `readers` knows."""

    @web.middleware
    async def authenticate(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path in _OPEN:
            return await handler(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or not token:
                raise DeniedError(401, "a bearer token is needed")
            verifier = readers if request.method in {"GET", "HEAD"} else callers
            await verifier.verify(token.strip())
        except DeniedError as error:
            log("warning", "a caller was denied", path=request.path, error=str(error))
            return respond(Answer(error.status, failure("Denied", str(error))))
        return await handler(request)

    return authenticate


def respond(answer: Answer) -> web.Response:
    """Send an answer."""
    return web.json_response(answer.body, status=answer.status)
