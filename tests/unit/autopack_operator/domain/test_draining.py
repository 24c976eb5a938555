"""What a suspended batch says of its runs under way."""

from __future__ import annotations

import pytest

from autopack_operator.domain.batch.decide import draining


@pytest.mark.parametrize(
    ("active", "message"),
    [
        (0, "no new runs start"),
        (1, "1 run continues; no new runs start"),
        (2, "2 runs continue; no new runs start"),
    ],
)
def test_runs_under_way_are_counted(active: int, message: str) -> None:
    assert draining(active) == message
