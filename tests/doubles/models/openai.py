"""What OpenAI's two APIs have in common."""

from __future__ import annotations

from tests.doubles.models.conversation import JsonDict

OVERLOADED = 503

_CODES = {400: None, 401: "invalid_api_key", 429: "rate_limit_exceeded", 500: None, 503: None}
_KINDS = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    429: "requests",
    500: "server_error",
    503: "server_error",
}


def models(names: list[str]) -> JsonDict:
    """Return the list of models."""
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 1767225600, "owned_by": "double"} for name in names],
    }


def error(status: int, message: str) -> JsonDict:
    """Return the body of a refusal."""
    return {"error": {"message": message, "type": _KINDS[status], "param": None, "code": _CODES[status]}}
