"""Kubernetes quantities as RunProfiles hold them: `512Mi`, `1.5G`."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_BASES = {"": 1000, "i": 1024}
_FACTORS: dict[str, Decimal] = {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000), "Ki": Decimal(1024)}
_FACTORS |= {
    unit + suffix: Decimal(base**power) for suffix, base in _BASES.items() for power, unit in enumerate("MGTP", start=2)
}


def whole(quantity: str) -> int:
    """The number it stands for, rounded up; ValueError when it is no quantity."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)", quantity)
    if found is None or found[2] not in _FACTORS:
        raise ValueError(f"{quantity!r} is not a quantity")
    return math.ceil(Decimal(found[1]) * _FACTORS[found[2]])
