"""What agents used: between statuses, where it is written for people, and numbers that are added up."""

from __future__ import annotations

from autopack.agents.usage import AGENT, UNKNOWN, Usage, from_json, to_json
from autopack_operator.domain.api.status import ReportedUsage

GATEWAY = "gateway"
"""The source of numbers that the gateway counted, whatever the agent says."""


def numbers(reported: ReportedUsage | None) -> Usage:
    """What a status says."""
    return UNKNOWN if reported is None else from_json(reported.model_dump(by_alias=True))


def reported(usage: Usage, source: str = AGENT) -> ReportedUsage | None:
    """What a status has to say; nothing where nothing is known."""
    if not usage.known:
        return None
    return ReportedUsage.model_validate(to_json(usage) | {"totalTokens": usage.total_tokens, "source": source})


def added(before: ReportedUsage | None, usage: Usage) -> ReportedUsage | None:
    """What a status has to say when an attempt's agent says that it used that. What the gateway counted holds all."""
    if not usage.known or (before is not None and before.source == GATEWAY):
        return before
    return reported(numbers(before).plus(usage))


def source_of_sum(first: str, second: str) -> str:
    """The source of a sum: it is checked only where both parts are."""
    return first if first == second or not second else second if not first else AGENT
