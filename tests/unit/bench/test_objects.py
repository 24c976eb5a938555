"""The batch is a matrix that the CRD takes, with as many runs as asked for."""

from __future__ import annotations

import json
import math

import pytest
from bench.objects import axes, batch, run

from autopack_operator.domain.api.batch import MAX_AXES, MAX_RUNS, MAX_VALUES, RunBatchSpec, child_spec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.batch.matrix import items_of


@pytest.mark.parametrize("count", [1, 30, 100, 300, 500, 1000, 5000])
def test_a_batch_has_so_many_runs_with_the_variables_of_a_run_alone(count: int) -> None:
    spec = RunBatchSpec.model_validate(batch("arm", count, 10)["spec"])
    items = items_of(spec)
    assert len({item.id for item in items}) == count
    alone = AutopackRunSpec.model_validate(run("model")["spec"])
    assert [var.name for var in child_spec(spec, items[-1]).env] == [var.name for var in alone.env]


def test_a_batch_of_a_thousand_is_a_small_object() -> None:
    assert len(json.dumps(batch("arm", 1000, 1000))) < 5000


def test_axes_are_within_the_bounds_of_the_crd_or_refused() -> None:
    refused = 0
    for count in range(1, MAX_RUNS + 1):
        try:
            found = axes(count)
        except ValueError:
            refused += 1
            continue
        assert math.prod(found) == count
        assert len(found) <= MAX_AXES
        assert max(found) <= MAX_VALUES
    # Those that a prime number above MAX_VALUES divides.
    assert refused == 1847


@pytest.mark.parametrize(
    ("count", "why"), [(0, "1 to 5000"), (5001, "1 to 5000"), (257, "take another size"), (514, "take another size")]
)
def test_a_size_without_a_matrix_is_refused(count: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        axes(count)
