"""Whether a batch's runs have to stop, from the stored batch alone."""

from __future__ import annotations

import pytest
from tests.unit.autopack_operator.builders import BatchBuilder

from autopack_operator.domain.batch.cancellation import cancels_its_runs

DECIDED = {"phase": "Failed", "reason": "TooManyRunsFailed"}


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        pytest.param(BatchBuilder(), False, id="new"),
        pytest.param(BatchBuilder().spec(cancel=True), True, id="canceled by the user"),
        pytest.param(BatchBuilder().status(outcome=DECIDED), False, id="failed, draining by default"),
        pytest.param(
            BatchBuilder().status(outcome=DECIDED).spec(failurePolicy={"action": "Cancel"}), True, id="failed"
        ),
        pytest.param(BatchBuilder().status(outcome=DECIDED | {"reason": "DeadlineExceeded"}), True, id="too late"),
        pytest.param(BatchBuilder().status(outcome={"phase": "Succeeded", "reason": "Enough"}), True, id="enough"),
        pytest.param(BatchBuilder().status(phase="Failed"), True, id="finished, and a run turns up late"),
        pytest.param(
            BatchBuilder().status(outcome=DECIDED).spec(failurePolicy="odd"), False, id="a policy that nobody can read"
        ),
    ],
)
def test_runs_are_canceled(batch: BatchBuilder, expected: bool) -> None:
    assert cancels_its_runs(batch.view()) is expected
