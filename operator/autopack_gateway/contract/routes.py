"""Paths of the gateway's protocol, version 1: as a server registers them, and filled in by `at`."""

from __future__ import annotations

from urllib.parse import quote

GRANTS = "/v1/grants"
"""PUT: a grant (again, with other budgets, for the same attempt)."""
GRANT = f"{GRANTS}/{{uid}}/{{attempt}}"
"""DELETE: the attempt asks for no more models. 200 as well when there is no such grant."""
SPENT = "/v1/spent"
"""GET, `?after=<cursor>`: what runs used, for those that something changed about since."""
MODELS = "/p/{provider}/{rest:.*}"
"""A run's request: the provider, and the upstream's own path."""


def at(route: str, uid: str = "", attempt: int = 0) -> str:
    """Return the path of a route for these values."""
    return route.format(uid=quote(uid, safe=""), attempt=attempt)
