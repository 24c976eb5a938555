"""How long a provider says to wait, in the headers of its answers: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST = 300.0
"""Seconds; a longer wait is asked about again."""
_LEFT = re.compile(r"(?:anthropic-ratelimit-(.+)-remaining|x-ratelimit-remaining-(.+))")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def asked_for(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds of `Retry-After` (a number, or a date); 0 when there is none."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        seconds = _number(text)
        if seconds is not None:
            return _bounded(seconds * unit)
        if text:
            return _bounded((_date(text) or now) - now)
    return 0.0


def used_up(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds until the provider takes requests again, when an answer says that nothing is left; else 0."""
    waits = [0.0]
    for name, value in headers.items():
        match = _LEFT.fullmatch(name.lower())
        if match is None or value.strip() != "0":
            continue
        if match[1]:
            waits.append((_date(headers.get(f"anthropic-ratelimit-{match[1]}-reset", "")) or now) - now)
        else:
            waits.append(_span(headers.get(f"x-ratelimit-reset-{match[2]}", "")))
    return _bounded(max(waits))


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else None


def _date(text: str) -> float | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return parse(text.strip()).timestamp()
        except ValueError:
            continue
    return None


def _span(text: str) -> float:
    """Read `6m0s` or `120ms`."""
    return sum(float(number) * _UNITS[unit] for number, unit in _SPAN.findall(text))
