"""The gateway's own answers."""

from __future__ import annotations

from aiohttp import web

from autopack_gateway.contract import headers, messages, reasons


class RefusedError(Exception):
    """A run's request is not passed on. `again`: the same request may soon get another answer."""

    def __init__(self, status: int, reason: str, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.again = status, reason, message, again


def not_active() -> RefusedError:
    """Return the refusal of a gateway that is not the active one."""
    return RefusedError(503, reasons.NOT_ACTIVE, "This gateway is not the active one. Ask again.", again=True)


def refusal(error: RefusedError) -> web.Response:
    """Return a refusal in the form that clients of model APIs read: Anthropic's, which holds OpenAI's."""
    body: messages.Refused = {"error": {"type": error.reason, "message": error.message}}
    told = {headers.ASK_AGAIN: "1"} if error.again else None
    return web.json_response({"type": "error", **body}, status=error.status, headers=told)


def failure(status: int, reason: str, message: str) -> web.Response:
    """Return a refusal of the operator's request."""
    body: messages.Failure = {"reason": reason, "message": message}
    return web.json_response(body, status=status)
