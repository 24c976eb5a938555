"""Kubernetes quantities as numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from autopack_operator.domain.quantities import exact, whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("0", 0), ("7", 7), ("2k", 2000), ("1Ki", 1024), ("1.5Gi", 3 << 29), ("3P", 3 * 10**15), ("1500m", 2)],
        *[("2Gi", 2 << 30), ("3k", 3000), ("1e3", 1000), ("2E", 2 * 10**18), ("1Ei", 1 << 60), ("5n", 1)],
    ],
)
def test_a_quantity_is_a_number(text: str, number: int) -> None:
    assert whole(text) == number


def test_fractions_are_exact() -> None:
    assert exact("100m") == Decimal("0.1")


@pytest.mark.parametrize("text", ["", "Gi", "1KB", "-1", "1e", "1,5Gi", "x"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        whole(text)
