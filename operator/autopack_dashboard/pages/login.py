"""Logging in with a token, and out again; whether the process is well."""

from __future__ import annotations

from aiohttp import web

from autopack_dashboard.access.doorman import is_same_site, local_path
from autopack_dashboard.access.gate import DeniedError, Gate
from autopack_dashboard.access.sessions import COOKIE, LIVES_SECONDS, Sessions
from autopack_dashboard.pages.view import View


class LoginPages:
    """`/login` and `/logout`; without a gate there is nothing to log in to."""

    def __init__(self, view: View, gate: Gate | None, sessions: Sessions) -> None:
        self._view, self._gate, self._sessions = view, gate, sessions

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        if self._gate is None:
            return []
        return [web.get("/login", self._form), web.post("/login", self._login), web.post("/logout", self._logout)]

    async def _form(self, request: web.Request) -> web.StreamResponse:
        values = {"problem": "", "next": local_path(request.query.get("next", "/"))}
        return self._view.page(request, "login.html", values)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if self._gate is None or not is_same_site(request):
            raise web.HTTPForbidden(reason="Log in from this dashboard's own page")
        form = await request.post()
        token, following = form.get("token"), form.get("next")
        goal = local_path(following if isinstance(following, str) else "/")
        try:
            if not isinstance(token, str) or not token.strip():
                raise DeniedError(401, "give a token")
            await self._gate.admit(token.strip())
        except DeniedError as error:
            return self._view.page(request, "login.html", {"problem": str(error), "next": goal}, error.status)
        response = web.Response(status=303, headers={"Location": goal})
        response.set_cookie(
            COOKIE,
            self._sessions.begin(token.strip()),
            httponly=True,
            samesite="Strict",
            secure=request.secure or request.headers.get("X-Forwarded-Proto") == "https",
            max_age=int(LIVES_SECONDS),
        )
        return response

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        if not is_same_site(request):
            raise web.HTTPForbidden(reason="Log out from this dashboard's own page")
        self._sessions.end(request.cookies.get(COOKIE, ""))
        response = web.Response(status=303, headers={"Location": "/login"})
        response.del_cookie(COOKIE, httponly=True, samesite="Strict")
        return response
