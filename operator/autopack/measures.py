"""Lengths of time and sizes, read and written in one style: kubectl's for time, powers of 1024 for sizes. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_READ = _SECONDS | {"w": 604_800}
_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_PART = re.compile(rf"({_NUMBER})\s*([smhdw])", re.ASCII)
_DURATION = re.compile(rf"(?:{_NUMBER}\s*[smhdw]){{1,5}}", re.ASCII)
_BARE = re.compile(_NUMBER, re.ASCII)

_SIZE = re.compile(r"(\d{1,15})\s*([KMGTkmgt]?)i?B?", re.ASCII)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def duration(seconds: float) -> str:
    """Return seconds as `5s`, `1m5s`, `2h3m` or `3d4h`; less than nothing is `0s`."""
    whole = max(0, round(seconds))
    for (unit, worth), (lesser, part) in pairwise(_SECONDS.items()):
        if whole >= worth:
            return f"{whole // worth}{unit}{whole % worth // part}{lesser}"
    return f"{whole}s"


def parse_duration(text: str, *, bare: bool = True) -> float:
    """Return the seconds of `30m`, `7d`, `2h3m`, and of `90` if `bare` numbers are allowed. Raises ValueError."""
    plain = text.strip()
    if bare and _BARE.fullmatch(plain):
        return float(plain)
    if not _DURATION.fullmatch(plain):
        raise ValueError(f"'{text}' is not a duration such as {'90, ' if bare else ''}30m or 7d")
    return sum(float(number) * _READ[unit] for number, unit in _PART.findall(plain))


def size(count: int | None) -> str:
    """Return a number of bytes as `512 B`, `1.5 KiB` or `20 MiB`; nothing for None."""
    if count is None:
        return ""
    value, step = float(count), 0
    while value >= 1024 and step < len(_UNITS) - 1:
        value, step = value / 1024, step + 1
    return f"{value:.0f} B" if step == 0 else f"{value:.{0 if value >= 10 else 1}f} {_UNITS[step]}"


def parse_size(text: str) -> int:
    """Return the bytes of `1024`, `512M` or `2 GiB`, all in powers of 1024. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a size such as 512M or 2G")
    return int(found[1]) << (10 * (1 + "KMGT".index(found[2].upper())) if found[2] else 0)
