"""What a host's refusal means: for good or for now, in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from autopack.errors import printable

from .port import HostFailure

JsonDict = dict[str, Any]
_SOON = 60.0
_LONGEST_WAIT = 3600.0
_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining")
_RESET = ("x-ratelimit-reset", "ratelimit-reset")


class Reply(NamedTuple):
    """An answer of a host. `document` is None when it is no JSON."""

    status: int
    headers: Mapping[str, str]
    document: Any


def failure_of(reply: Reply, where: str, credential: str, secret: str) -> HostFailure:
    """Return what an answer that is no success means."""
    said = said_in(reply.document)
    quoted = f": {said}" if said else ""
    if (wait := wait_of(reply, said)) is not None:
        message = f"{where} wants fewer requests{quoted}"
        return HostFailure("HostRateLimited", message, transient=True, retry_after=wait)
    if reply.status >= 500 or reply.document is None:
        what = f"answered {reply.status}" + ("" if reply.status >= 500 else " and no JSON")
        return HostFailure("HostError", f"{where} {what}{quoted}", transient=True)
    match reply.status:
        case 401:
            # It passes when somebody renews the Secret, which is read again by itself.
            message = f"{where} does not accept the token of credential '{credential}', or it expired{quoted}"
            fix = f"Renew the token in the Secret '{secret}'"
            return HostFailure("CredentialRefused", message, fix, transient=True, retry_after=_SOON)
        case 403:
            message = f"{where} forbids this to the token of credential '{credential}'{quoted}"
            return HostFailure("CredentialForbidden", message, "Give it the right to write pull requests and statuses")
        case 404:
            message = (
                f"{where} has no such repository, or the token of credential '{credential}' may not see it{quoted}"
            )
            return HostFailure("RepositoryNotFound", message, "Correct the address, or the token's rights")
        case _:
            return HostFailure("HostRefused", f"{where} refused with {reply.status}{quoted}")


def wait_of(reply: Reply, said: str) -> float | None:
    """Return how long a host asks to be left alone; None when that is not what it says."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    spent = any(headers.get(name) == "0" for name in _REMAINING)
    limited = reply.status == 429 or (reply.status == 403 and (spent or "rate limit" in said.lower()))
    if not limited and not (reply.status in (403, 503) and "retry-after" in headers):
        return None
    wait = _number(headers.get("retry-after")) or _until_reset(headers) or _SOON
    return min(max(wait, 1.0), _LONGEST_WAIT)


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Return the time to the reset by the host's own clock: ours may be wrong."""
    reset = next((found for name in _RESET if (found := _number(headers.get(name)))), None)
    try:
        now = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return None
    return reset - now if reset is not None and reset > now else None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None


def said_in(document: object) -> str:
    """Return what a host said in words: each has its own shape."""
    if not isinstance(document, dict):
        return ""
    parts = [document.get("message"), document.get("error"), document.get("error_description")]
    parts += [_said_of(error) for error in _list(document.get("errors"))]
    return printable("; ".join(dict.fromkeys(_flat(part) for part in parts if part)), 300)


def _said_of(error: object) -> object:
    if isinstance(error, dict):
        return error.get("message") or " ".join(str(error[key]) for key in ("field", "code") if key in error)
    return error


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(part)}" for key, part in value.items())
    return ", ".join(_flat(part) for part in value) if isinstance(value, list) else str(value)
