"""The decisions about a Lease object: pure. Times are seconds on our own clock: other machines' are not compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

DURATION = 15.0
"""How long a claim counts that is not renewed."""
RENEW_EVERY = 3.0


class Seen(NamedTuple):
    """The claim that we last saw, and since when it is the same."""

    spec: Mapping[str, Any]
    since: float


def seen(before: Seen | None, spec: Mapping[str, Any], now: float) -> Seen:
    """Note a claim."""
    return before if before is not None and before.spec == spec else Seen(dict(spec), now)


def may_take(claim: Seen, me: str, now: float) -> bool:
    """Tell whether a claim is ours, or nobody's, or was not renewed for as long as it says that it counts."""
    holder = claim.spec.get("holderIdentity")
    duration = claim.spec.get("leaseDurationSeconds")
    return holder in {None, "", me} or now - claim.since > (duration if isinstance(duration, int) else DURATION)


def taken(spec: Mapping[str, Any], me: str, at: datetime) -> dict[str, Any]:
    """Return the claim renewed, or taken over: then the transitions count up."""
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    renewed = {**spec, "leaseDurationSeconds": int(DURATION), "renewTime": stamp}
    if spec.get("holderIdentity") == me:
        return renewed
    return {
        **renewed,
        "holderIdentity": me,
        "acquireTime": stamp,
        "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1,
    }
