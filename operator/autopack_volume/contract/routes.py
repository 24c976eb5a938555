"""Paths of the volume service's protocol, version 1: as a server registers them, and filled in by `at`."""

from __future__ import annotations

from urllib.parse import quote

ATTEMPTS = "/v1/attempts"
"""GET: the attempts that were prepared and never committed."""
RUN = f"{ATTEMPTS}/{{uid}}"
ATTEMPT = f"{RUN}/{{attempt}}"
"""PUT prepares it, GET says how far it is."""
COMMIT = f"{ATTEMPT}/commit"
ARTIFACTS = f"{ATTEMPT}/artifacts"
ARTIFACT = f"{ATTEMPT}/artifact"
LOG = f"{ATTEMPT}/logs/{{stream}}"
BUNDLE = f"{ATTEMPT}/bundle"
DIFF = f"{ATTEMPT}/diff"
FORECAST = "/v1/forecast"
SOURCE = "/v1/source"
"""GET: whether a repository can be fetched."""


def at(route: str, uid: str = "", attempt: int = 0, stream: str = "") -> str:
    """Return the path of a route for these values."""
    return route.format(uid=quote(uid, safe=""), attempt=attempt, stream=quote(stream, safe=""))
