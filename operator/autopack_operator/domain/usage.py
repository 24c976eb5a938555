"""What agents used: between statuses, where it is written for people, and numbers that are added up."""

from __future__ import annotations

from autopack.agents.usage import UNKNOWN, Usage, from_json, to_json
from autopack_operator.domain.api.status import ReportedUsage


def numbers(reported: ReportedUsage | None) -> Usage:
    """What a status says."""
    return UNKNOWN if reported is None else from_json(reported.model_dump(by_alias=True))


def reported(usage: Usage) -> ReportedUsage | None:
    """What a status has to say; nothing where nothing is known."""
    if not usage.known:
        return None
    return ReportedUsage.model_validate(to_json(usage) | {"totalTokens": usage.total_tokens})


def added(before: ReportedUsage | None, usage: Usage) -> ReportedUsage | None:
    """What a status has to say when that was used as well."""
    return reported(numbers(before).plus(usage)) if usage.known else before
