"""Version 2 of the intention anchor: a strict model, and the way to it from untrusted bytes.

Nothing is guessed from a value of another type, and what is wrong is said in one sentence.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autopack.errors import AutopackError, printable
from autopack.files import write_json_atomic

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_MAX_MESSAGE = 512


class AnchorError(AutopackError):
    """The anchor is refused.

    `reason` is AnchorAbsent, AnchorTooLarge, AnchorMalformed, AnchorWrongVersion or AnchorInvalid. The message is safe
    to print (control characters escaped) and, with the fix, at most 512 characters long.
    """

    def __init__(self, reason: str, message: str, fix: str) -> None:
        super().__init__(reason, printable(message, _MAX_MESSAGE - len(fix) - 2), fix)
        self.args = (reason, message, fix)


class AnchorFileMissing(AnchorError, FileNotFoundError):  # noqa: N818 - says a state
    """There is no anchor file; also a FileNotFoundError, which callers of earlier versions expect."""


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
        """Read what `to_json_dict` returned; raises AnchorError as `parse_anchor` does."""
        return parse_anchor(json.dumps(data))

    def save_to_file(self, path: Path) -> None:
        """Write an anchor file, as `save_anchor` does."""
        save_anchor(self, Path(path))

    @classmethod
    def load_from_file(cls, path: Path) -> IntentionAnchorV2:
        """Read an anchor file; raises AnchorError as `load_anchor` does."""
        return load_anchor(path)


def load_anchor(path: Path) -> IntentionAnchorV2:
    """Read and check an anchor file; raises AnchorError if it is unreadable or wrong, AnchorFileMissing if absent.

    At most 256 KiB and a byte are read, whatever the file's size.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"the anchor {printable(str(path), 200)} cannot be read: {error.strerror}"
        kind = AnchorFileMissing if isinstance(error, FileNotFoundError) else AnchorError
        raise kind("AnchorAbsent", message, "Give the path of an IntentionAnchorV2 JSON file") from error
    return parse_anchor(raw)


def save_anchor(anchor: IntentionAnchorV2, path: Path) -> None:
    """Write an anchor as a file that `load_anchor` reads; its folder is made if need be. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(path, anchor.to_json_dict())


def parse_anchor(raw: bytes | str | None) -> IntentionAnchorV2:
    """Return the anchor in `raw` (JSON, UTF-8 without byte order mark, at most 256 KiB, at most 64 levels deep).

    Types are strict: `"true"` is no boolean. Raises AnchorError.
    """
    data = _bounded_bytes(raw)
    _check_depth(data)
    document = _parse(data)
    _check_version(document)
    try:
        return IntentionAnchorV2.model_validate_json(data)
    except ValidationError as error:
        raise _explain(error) from None


def _bounded_bytes(raw: bytes | str | None) -> bytes:
    if raw is None or not raw.strip():
        raise AnchorError(
            "AnchorAbsent",
            "there is no intention anchor" if raw is None else "the intention anchor is empty",
            "Write an IntentionAnchorV2 with pivot_intentions.parallelism_isolation.allowed=true",
        )
    if len(raw) <= MAX_BYTES:
        try:
            data = raw if isinstance(raw, bytes) else raw.encode()
        except UnicodeEncodeError:
            _malformed("it has characters that UTF-8 cannot hold")
        if len(data) <= MAX_BYTES:
            return data
    raise AnchorError("AnchorTooLarge", f"the anchor has more than {MAX_BYTES // 1024} KiB", "Shorten it")


def _malformed(what: str) -> NoReturn:
    fix = "Save it as plain JSON in UTF-8 without byte order mark"
    raise AnchorError("AnchorMalformed", f"the anchor is not proper JSON: {what}", fix)


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before any parser recurses into it."""
    depth, in_string, escaped = 0, False, False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                _malformed(f"it is nested more than {MAX_DEPTH} levels deep")
        elif byte in b"]}":
            depth -= 1


def _parse(data: bytes) -> object:
    if data.startswith(_BYTE_ORDER_MARKS):
        _malformed("it begins with a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        _malformed(f"byte {error.start} is not UTF-8")
    try:
        return json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        _malformed(f"line {error.lineno} column {error.colno}: {error.msg}")
    except ValueError:
        # The one other cause is Python's own bound on the digits of an integer.
        _malformed("it has a number of too many digits")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            _malformed(f"the field '{printable(name, 80)}' is given twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    _malformed(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _malformed(f"the number {text[:40]} is too large")
    return number


def _check_version(document: object) -> None:
    if not isinstance(document, dict):
        _malformed("it is not an object")
    version = document.get("format_version")
    if version != "v2":
        shown = "absent" if version is None else json.dumps(version)[:80]
        raise AnchorError("AnchorWrongVersion", f"format_version is {shown}, not v2", 'Set "format_version": "v2"')


def _explain(error: ValidationError) -> AnchorError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        _malformed(first["msg"])
    where = ".".join(printable(str(part), 80) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return AnchorError("AnchorInvalid", f"{where}: {first['msg']}{more}", "Correct this field of the anchor")
