"""Paths of the publisher's protocol, version 1: as a server registers them, and filled in by `at`."""

from __future__ import annotations

from urllib.parse import quote

DELIVERY = "/v1/deliveries/{uid}/{attempt}"
"""PUT delivers what an attempt left, or says how far that is: 202 means ask again."""


def at(uid: str, attempt: int) -> str:
    """Return the path of an attempt's delivery."""
    return DELIVERY.format(uid=quote(uid, safe=""), attempt=attempt)
