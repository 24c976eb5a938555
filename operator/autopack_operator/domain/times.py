"""RFC 3339 timestamps as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """`2026-01-02T03:04:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time(moment: datetime) -> str:
    """`2026-01-02T03:04:05.678901Z`, as Leases and Events have them."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """The reverse of rfc3339; fractions of a second are accepted. Raises ValueError."""
    return datetime.fromisoformat(text)


def seconds_between(start: str, end: datetime) -> float:
    """Seconds from a timestamp of the API until `end`."""
    return (end - parse(start)).total_seconds()
