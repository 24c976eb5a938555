"""Version 2 of the intention anchor, as a strict model: nothing is guessed from a value of another type."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    """Unknown fields are refused: a misspelt policy must not pass for an absent one."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NorthStarIntention(_Strict):
    """What the project is for, and what it is not."""

    desired_outcomes: list[str] = Field(default_factory=list)
    success_signals: list[str] = Field(default_factory=list)
    non_goals: list[str] = Field(default_factory=list)


class SafetyRiskIntention(_Strict):
    """What must never happen, and what needs a person's approval."""

    never_allow: list[str] = Field(default_factory=list)
    requires_approval: list[str] = Field(default_factory=list)
    risk_tolerance: Literal["minimal", "low", "moderate", "high"] = "low"


class EvidenceVerificationIntention(_Strict):
    """What has to be shown before work counts as done."""

    hard_blocks: list[str] = Field(default_factory=list)
    required_proofs: list[str] = Field(default_factory=list)
    verification_gates: list[str] = Field(default_factory=list)


class ScopeBoundariesIntention(_Strict):
    """Where runs may write, and whom they may talk to."""

    allowed_write_roots: list[str] = Field(default_factory=list)
    protected_paths: list[str] = Field(default_factory=list)
    network_allowlist: list[str] = Field(default_factory=list)


class BudgetCostIntention(_Strict):
    """Caps on tokens and on time (seconds)."""

    token_cap_global: int | None = Field(default=None, ge=0)
    token_cap_per_call: int | None = Field(default=None, ge=0)
    time_cap_seconds: int | None = Field(default=None, ge=0)
    cost_escalation_policy: Literal["block", "warn", "request_approval"] = "request_approval"


class MemoryContinuityIntention(_Strict):
    """What is kept between runs, and for how long."""

    persist_to_sot: list[str] = Field(default_factory=list)
    derived_indexes: list[str] = Field(default_factory=list)
    retention_rules: dict[str, str] = Field(default_factory=dict)


class AutoApprovalRule(_Strict):
    """One narrow case that needs no person."""

    rule_id: str
    description: str
    conditions: list[str]


class GovernanceReviewIntention(_Strict):
    """Who approves what."""

    default_policy: Literal["deny", "allow"] = "deny"
    auto_approve_rules: list[AutoApprovalRule] = Field(default_factory=list)
    approval_channels: list[str] = Field(default_factory=list)


class ParallelismIsolationIntention(_Strict):
    """Whether runs may go in parallel, how they are kept apart, and how many at once."""

    allowed: bool = False
    isolation_model: Literal["four_layer", "none"] = "none"
    max_concurrent_runs: int = Field(default=1, ge=1)


class DeploymentIntention(_Strict):
    """What the project needs where it is deployed."""

    hosting_requirements: list[str] = Field(default_factory=list)
    env_vars: dict[str, str] = Field(default_factory=dict)
    secrets_config: dict[str, Any] = Field(default_factory=dict)


class PivotIntentions(_Strict):
    """All kinds of intention; each may be absent."""

    north_star: NorthStarIntention | None = None
    safety_risk: SafetyRiskIntention | None = None
    evidence_verification: EvidenceVerificationIntention | None = None
    scope_boundaries: ScopeBoundariesIntention | None = None
    budget_cost: BudgetCostIntention | None = None
    memory_continuity: MemoryContinuityIntention | None = None
    governance_review: GovernanceReviewIntention | None = None
    parallelism_isolation: ParallelismIsolationIntention | None = None
    deployment: DeploymentIntention | None = None


class IntentionMetadata(_Strict):
    """Who wrote the anchor, and from what."""

    author: str | None = None
    source: str | None = None
    tags: list[str] = Field(default_factory=list)


class IntentionAnchorV2(_Strict):
    """The whole anchor. `raw_input_digest` identifies the text it was made from (hexadecimal SHA-256 or a prefix)."""

    format_version: Literal["v2"] = "v2"
    project_id: str = Field(min_length=1)
    created_at: datetime
    updated_at: datetime | None = None
    raw_input_digest: str = Field(min_length=1)
    pivot_intentions: PivotIntentions = Field(default_factory=PivotIntentions)
    metadata: IntentionMetadata | None = None
    custom_pivots: dict[str, Any] = Field(default_factory=dict)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the anchor as JSON values: datetimes as ISO 8601 text, absent parts left out."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_json_dict(cls, data: dict[str, Any]) -> IntentionAnchorV2:
        """Read what `to_json_dict` returned; raises AnchorError as `intention_anchor.loader.parse_anchor` does."""
        from .loader import parse_anchor

        return parse_anchor(json.dumps(data))

    def save_to_file(self, path: Path) -> None:
        """Write an anchor file, as `intention_anchor.storage.save_anchor` does."""
        from .storage import save_anchor

        save_anchor(self, Path(path))

    @classmethod
    def load_from_file(cls, path: Path) -> IntentionAnchorV2:
        """Read an anchor file; raises AnchorError as `intention_anchor.storage.load_anchor` does."""
        from .storage import load_anchor

        return load_anchor(path)
