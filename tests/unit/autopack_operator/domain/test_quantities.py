"""Kubernetes quantities as numbers."""

from __future__ import annotations

import pytest

from autopack_operator.domain.quantities import whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("2k", 2000), ("1Ki", 1024), ("1.5Gi", 3 << 29), ("3P", 3 * 10**15), ("1500m", 2)],
)
def test_a_quantity_is_a_number(text: str, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "1KB", "-1", "1e3", "1,5Gi"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        whole(text)
