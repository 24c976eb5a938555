"""Which headers pass the gateway: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_HOP_BY_HOP = {
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_OF_THE_AGENT = {
    # Who asks, and for whom, is the gateway's to say.
    "api-key",
    "authorization",
    "cookie",
    "openai-organization",
    "openai-project",
    "x-api-key",
    "x-goog-api-key",
    # The answer is read on its way.
    "accept-encoding",
    "expect",
    "forwarded",
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
}
_OF_THE_UPSTREAM = {"alt-svc", "anthropic-organization-id", "date", "openai-organization", "openai-project", "server"}
_OF_THE_UPSTREAM |= {"set-cookie", "strict-transport-security"}


def towards_upstream(headers: Mapping[str, str], credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request as the upstream gets them."""
    return {**_without(headers, _OF_THE_AGENT), "Accept-Encoding": "identity", **credentials}


def towards_agent(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer as the agent gets them."""
    return _without(headers, _OF_THE_UPSTREAM)


def _without(headers: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    gone = _HOP_BY_HOP | named | set(names)
    return {name: value for name, value in headers.items() if name.lower() not in gone}
