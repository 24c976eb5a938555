"""Days and months of a time zone: what was spent in one does not count in the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from autopack_operator.domain.api.budgets import WindowLength

_LONGER_THAN = {WindowLength.DAY: timedelta(hours=26), WindowLength.MONTH: timedelta(days=32)}
"""Added to a window's start, it leads into the next one: a day has 25 hours at most, and some more to be sure."""


def start_of(window: WindowLength, timezone: str, now: datetime) -> datetime:
    """When the window that `now` is in began, in UTC."""
    there = now.astimezone(ZoneInfo(timezone))
    begun = there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (begun.replace(day=1) if window is WindowLength.MONTH else begun).astimezone(UTC)


def end_of(window: WindowLength, timezone: str, now: datetime) -> datetime:
    """When the next window begins, in UTC."""
    return start_of(window, timezone, start_of(window, timezone, now) + _LONGER_THAN[window])
