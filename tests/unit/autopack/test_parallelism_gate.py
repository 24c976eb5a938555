"""No parallel run without the owner's word."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from autopack.autonomy.parallelism_gate import (
    ParallelismPolicyGate,
    ParallelismPolicyViolation,
    load_and_check_parallelism_policy,
)
from autopack.intention_anchor.v2 import AnchorError, IntentionAnchorV2, ParallelismIsolationIntention, PivotIntentions


def gate(policy: ParallelismIsolationIntention | None) -> ParallelismPolicyGate:
    return ParallelismPolicyGate(
        IntentionAnchorV2(
            project_id="demo",
            created_at=datetime(2026, 1, 6, tzinfo=UTC),
            raw_input_digest="0" * 16,
            pivot_intentions=PivotIntentions(parallelism_isolation=policy),
        )
    )


ALLOWED = ParallelismIsolationIntention(allowed=True, isolation_model="four_layer", max_concurrent_runs=3)


@pytest.mark.parametrize(
    ("policy", "requested", "said"),
    [
        (None, 2, "says nothing"),
        (ParallelismIsolationIntention(max_concurrent_runs=9), 2, "allowed=false"),
        (ALLOWED, 4, "max_concurrent_runs=3"),
    ],
)
def test_what_is_not_allowed_is_a_violation(
    policy: ParallelismIsolationIntention | None, requested: int, said: str
) -> None:
    with pytest.raises(ParallelismPolicyViolation, match=said) as caught:
        gate(policy).check_parallel_allowed(requested)
    assert caught.value.reason == "ParallelismNotAllowed"


def test_up_to_the_owners_number_may_go_on() -> None:
    gate(ALLOWED).check_parallel_allowed(3)
    assert gate(ALLOWED).get_max_concurrent_runs() == 3
    assert gate(ALLOWED).is_parallel_allowed()


def test_without_permission_one_run_may_go_on() -> None:
    assert gate(ParallelismIsolationIntention(max_concurrent_runs=9)).get_max_concurrent_runs() == 1
    assert not gate(None).is_parallel_allowed()


def test_an_anchor_file_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "anchor.json"
    path.write_text(gate(ALLOWED).anchor.model_dump_json(), "utf-8")
    assert load_and_check_parallelism_policy(path, 2).project_id == "demo"


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_an_absent_anchor(tmp_path: Path, name: str) -> None:
    with pytest.raises(AnchorError) as caught:
        load_and_check_parallelism_policy(tmp_path / name)
    assert caught.value.reason == "AnchorAbsent"
