"""Stands before every page: headers that make answers inert, and the question who is asking."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from aiohttp import web

from autopack_dashboard.access.gate import DeniedError, Gate
from autopack_dashboard.access.sessions import COOKIE, Sessions

log = logging.getLogger(__name__)

OPEN_PATHS = ("/livez", "/readyz", "/login", "/static/")
USER = web.RequestKey("user", str)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: every answer gets them, streams and errors too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-cache"


class Doorman:
    """Without a gate everybody who reaches a loopback address is let in, by one of its names and no other."""

    def __init__(self, gate: Gate | None, sessions: Sessions) -> None:
        self._gate, self._sessions = gate, sessions

    @web.middleware
    async def stand(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Middleware."""
        if self._gate is None:
            # Another site could have its name point here, and read everything with the user's browser.
            if not is_loopback_name(request.host):
                raise web.HTTPForbidden(text="This dashboard answers on loopback addresses only.\n")
            return await handler(request)
        if request.path.startswith(OPEN_PATHS):
            return await handler(request)
        bearer = bearer_of(request)
        token = bearer or self._sessions.token(request.cookies.get(COOKIE, ""))
        try:
            if token is None:
                raise DeniedError(401, "log in first")
            request[USER] = await self._gate.admit(token)
        except DeniedError as error:
            return refuse(request, error, by_form=bearer is None)
        return await handler(request)


def refuse(request: web.Request, error: DeniedError, *, by_form: bool) -> web.Response:
    """Say no: to a browser by the way to the login, to a program by the status."""
    log.info("denied: %s (%d)", error, error.status)
    if by_form and error.status == 401 and "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": f"/login?next={quote(request.path_qs, safe='')}"})
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return web.Response(status=error.status, text=f"{error}\n", headers=headers)


def bearer_of(request: web.Request) -> str | None:
    """Return the token of the Authorization header, None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def is_loopback_name(host: str) -> bool:
    """Tell whether a Host header names this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_same_site(request: web.Request) -> bool:
    """Tell whether a form was sent from one of our own pages, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        return site in {"same-origin", "none"}
    return origin is None or urlsplit(origin).netloc == request.host


def local_path(text: str) -> str:
    """Return a path of ours to go on to after the login; `/` for whatever else was given."""
    good = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if good else "/"
