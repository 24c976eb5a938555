"""What goes wrong, said on a page: what it is, and what to do. Never a traceback, never a secret."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from autopack.errors import AutopackError, InvalidInput
from autopack_dashboard.pages.view import View
from autopack_dashboard.ports import NotThereError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_STATUS = {"DatabaseUnreachable": 503, "VolumeUnavailable": 503, "NotFound": 404}


def not_found(what: str) -> AutopackError:
    """Return the error for an address that leads nowhere."""
    return AutopackError("NotFound", f"there is no such {what}", "It may be of another installation")


def explain_problems(view: View) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotThereError as error:
            return _page(request, 404, error.message, error.fix)
        except InvalidInput as error:
            # The registry's address is the administrator's business, and of no use to who looks at a page.
            return _page(request, 503 if error.field == "database_url" else 400, error.message, error.fix)
        except AutopackError as error:
            return _page(request, _STATUS.get(error.reason, 500), error.message, error.fix)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return _page(request, error.status, error.reason)
        except Exception:
            log.exception("a page failed")
            return _page(request, 500, "this is a defect of the dashboard", "Its log says more")

    def _page(request: web.Request, status: int, message: str, fix: str = "") -> web.Response:
        return view.page(request, "error.html", {"status": status, "message": message, "fix": fix}, status)

    return explained
