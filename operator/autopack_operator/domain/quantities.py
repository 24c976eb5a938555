"""Kubernetes quantities as numbers: `100m`, `512Mi`, `1.5G`, `1e3`."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")
_FACTORS = {unit: Decimal(1000) ** power for power, unit in enumerate(("n", "u", "m", "", *"kMGTPE"), start=-3)}
_FACTORS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}


def exact(quantity: str) -> Decimal:
    """The number it stands for; ValueError when it is no quantity."""
    found = _QUANTITY.fullmatch(quantity)
    if found is None or found[2] not in _FACTORS:
        raise ValueError(f"{quantity!r} is not a quantity")
    return Decimal(found[1]) * _FACTORS[found[2]]


def whole(quantity: str) -> int:
    """The same, rounded up."""
    return math.ceil(exact(quantity))
