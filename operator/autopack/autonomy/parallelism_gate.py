"""The gate before any parallel work: the owner of the project must have allowed it in the intention anchor."""

from __future__ import annotations

from pathlib import Path

from autopack.errors import AutopackError
from autopack.intention_anchor.v2 import IntentionAnchorV2, load_anchor


class ParallelismPolicyViolation(AutopackError):  # noqa: N818 - the seed's name
    """The anchor does not allow what was asked for; the reason is always ParallelismNotAllowed."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__("ParallelismNotAllowed", message, fix)
        self.args = (message, fix)


class ParallelismPolicyGate:
    """Answers from `anchor.pivot_intentions.parallelism_isolation`; absent means not allowed."""

    def __init__(self, anchor: IntentionAnchorV2) -> None:
        self.anchor = anchor

    def check_parallel_allowed(self, requested_runs: int = 2) -> None:
        """Raise ParallelismPolicyViolation unless `requested_runs` may go on at the same time."""
        policy = self.anchor.pivot_intentions.parallelism_isolation
        if policy is None:
            raise ParallelismPolicyViolation(
                "the intention anchor says nothing about parallelism_isolation, so parallel runs are not allowed",
                "Add pivot_intentions.parallelism_isolation with allowed=true to it",
            )
        if not policy.allowed:
            raise ParallelismPolicyViolation(
                "the intention anchor blocks parallel runs (parallelism_isolation.allowed=false)",
                "Set parallelism_isolation.allowed=true to enable parallel runs",
            )
        if requested_runs > policy.max_concurrent_runs:
            raise ParallelismPolicyViolation(
                f"{requested_runs} parallel runs exceed max_concurrent_runs={policy.max_concurrent_runs} of the"
                " intention anchor",
                "Ask for fewer, or raise parallelism_isolation.max_concurrent_runs",
            )

    def get_max_concurrent_runs(self) -> int:
        """Return how many runs may go on at once; 1 where parallel runs are not allowed."""
        policy = self.anchor.pivot_intentions.parallelism_isolation
        return policy.max_concurrent_runs if policy is not None and policy.allowed else 1

    def is_parallel_allowed(self) -> bool:
        """Tell whether more than one run may go on at once, as far as the owner's switch says."""
        policy = self.anchor.pivot_intentions.parallelism_isolation
        return policy is not None and policy.allowed


def check_parallelism_policy(anchor: IntentionAnchorV2, requested_runs: int = 2) -> None:
    """Raise ParallelismPolicyViolation unless the anchor allows `requested_runs` at once."""
    ParallelismPolicyGate(anchor).check_parallel_allowed(requested_runs)


def load_and_check_parallelism_policy(anchor_path: Path, requested_runs: int = 2) -> IntentionAnchorV2:
    """Read the anchor file and check it; raises AnchorError or ParallelismPolicyViolation."""
    anchor = load_anchor(anchor_path)
    check_parallelism_policy(anchor, requested_runs)
    return anchor
