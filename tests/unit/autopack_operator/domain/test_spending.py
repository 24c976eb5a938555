"""What bounds what a run spends, and when a spent budget lets it go on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.autopack_operator.builders import (
    APPROVED,
    NOW,
    PROFILE,
    BatchBuilder,
    PodBuilder,
    RunBuilder,
    anchor_text,
    child,
    committed,
    later,
    world,
)

from autopack.agents.usage import Usage
from autopack_operator.domain import anchor_gate
from autopack_operator.domain.api.budgets import Budget, ProfileBudget, WindowLength
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import SpentBudget
from autopack_operator.domain.run.decide import decide
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.run.world import WriteStatus
from autopack_operator.domain.spending import windows
from autopack_operator.domain.spending.bounds import NOTHING, bounds_of, exhausted, still_spent
from autopack_operator.domain.spending.grants import grant_of, seconds_left
from autopack_operator.domain.spending.views import Allowed, Bound, Grant, Spent
from autopack_operator.domain.usage import source_of_sum
from autopack_operator.domain.views import BatchView, RunView

METERED = RunProfileSpec.model_validate(
    PROFILE.model_dump(by_alias=True, exclude_defaults=True)
    | {"providers": [{"name": "claude", "api": "anthropic", "models": ["claude-*"]}]}
)
SPENT = SpentBudget(scope="run:1", usd="2", requests=10)


def bounds(run: RunView, batch: BatchView | None = None, cap: int | None = None) -> tuple[Bound, ...]:
    return bounds_of(run, AutopackRunSpec.model_validate(run.spec), batch, METERED, cap, NOW)


def granted(run: RunView) -> Grant:
    grant = grant_of(run, AutopackRunSpec.model_validate(run.spec), None, METERED, None, NOW)
    assert grant is not None
    return grant


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("window", "now", "start", "end"),
    [
        # The night in which Berlin's clocks go forward, and the one in which they go back.
        ("Day", "2026-03-29T12:00:00+00:00", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
        ("Day", "2026-10-25T23:30:00+01:00", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
        ("Month", "2026-01-31T22:59:59+00:00", "2025-12-31T23:00:00+00:00", "2026-01-31T23:00:00+00:00"),
        ("Month", "2026-01-31T23:00:00+00:00", "2026-01-31T23:00:00+00:00", "2026-02-28T23:00:00+00:00"),
    ],
)
def test_windows_are_those_of_the_calendar_in_the_time_zone(window: str, now: str, start: str, end: str) -> None:
    length = WindowLength(window)
    assert windows.start_of(length, "Europe/Berlin", moment(now)) == moment(start)
    assert windows.end_of(length, "Europe/Berlin", moment(now)) == moment(end)


def test_a_run_on_its_own_is_bounded_by_its_budget_and_the_anchor() -> None:
    run = RunBuilder().uid("1").spec(budget={"usd": "2.50", "tokens": 100}).view()
    assert bounds(run) == (Bound("run:1", "2.50", 100, None),)
    assert bounds(run, cap=7) == (Bound("run:1", "2.50", 7, None),)
    assert bounds(RunBuilder().uid("1").view()) == ()


def test_the_anchor_bounds_the_runs_of_a_batch_together() -> None:
    batch = BatchBuilder().uid("b").spec(budget={"tokens": 1000}).view()
    run = child(batch, "a").uid("1").spec(budget={"requests": 5}).view()
    assert bounds(run, batch, cap=300) == (Bound("run:1", None, None, 5), Bound("batch:b", None, 300, None))


def test_a_budget_of_a_batch_that_cannot_be_read_bounds_everything() -> None:
    batch = BatchBuilder().uid("b").spec(budget={"usd": 5}).view()
    assert bounds(child(batch, "a").view(), batch) == (Bound("batch:b", NOTHING.usd, NOTHING.tokens, NOTHING.requests),)


def test_the_budget_of_a_profile_is_that_of_the_window() -> None:
    profile = METERED.model_copy(update={"budget": ProfileBudget(window=WindowLength.DAY, usd="20")})
    run = RunBuilder().view()
    spec = AutopackRunSpec.model_validate(run.spec)
    assert bounds_of(run, spec, None, profile, None, NOW) == (Bound("profile:default:2026-01-06T00:00:00Z", "20"),)
    assert seconds_left(profile, NOW) == 12 * 3600


def test_a_grant_names_the_providers_and_their_models() -> None:
    grant = granted(RunBuilder().attempt(2).view())
    assert (grant.attempt, grant.providers) == (2, (Allowed("claude", ("claude-*",)),))


@pytest.mark.parametrize(
    ("now", "waits"),
    [
        (Bound("run:1", "2", None, 10), True),
        (Bound("run:1", "1.5", None, 9), True),
        (Bound("run:1", "2.000001", None, 10), False),
        (Bound("run:1", "10", None, 1), False),
        (Bound("run:1", "2", None, None), False),
        (Bound("run:1", "2", 5, 10), True),
        (Bound("profile:default:2026-01-07T00:00:00Z", "2"), False),
    ],
)
def test_a_run_goes_on_when_a_part_of_the_budget_is_raised(now: Bound, waits: bool) -> None:
    assert still_spent(SPENT, (Bound("batch:b", "1"), now)) is waits


def test_what_was_exhausted_under_another_budget_is_not() -> None:
    run = RunBuilder().uid("1").spec(budget={"usd": "2"}).attempt().view()
    raised = RunBuilder().uid("1").spec(budget={"usd": "3"}).attempt().view()
    spent = Spent("1", Usage(), "run:1")
    told, now = granted(run), granted(raised)
    assert exhausted(spent, told, told, over=False) == SpentBudget(scope="run:1", usd="2")
    assert exhausted(spent, told, now, over=False) is None
    # It goes on in another attempt: that is the next decision's to see.
    assert exhausted(spent, told, now, over=True) == SpentBudget(scope="run:1", usd="2")
    assert exhausted(spent, None, now, over=False) is None
    assert exhausted(Spent("1", Usage()), told, told, over=False) is None


def test_a_command_that_gave_up_because_of_its_budget_is_suspended_and_not_repeated() -> None:
    run = RunBuilder().spec(retry={"agent": 3}).running().view()
    memory = RunMemory(1, APPROVED, committed=committed(exit_code=1), revoked=True, lease_released=True)
    seen = world(run, known=memory, metered=True, profile=METERED, exhausted=SPENT, pod=PodBuilder(run).ended(1).view())
    step = decide(run, seen, later(9))
    assert isinstance(step, WriteStatus)
    status = step.status
    assert (status.phase, status.reason, status.spent_budget) == ("Pending", "BudgetExhausted", SPENT)
    assert status.failures.agent == 0
    canceled = world(run, known=memory, metered=True, profile=METERED, exhausted=SPENT, canceled=True, pod=seen.pod)
    step = decide(run, canceled, later(9))
    assert isinstance(step, WriteStatus)
    assert step.status.phase == "Canceled"


@pytest.mark.parametrize(
    ("cost", "cap"),
    [
        ({"token_cap_global": 500}, 500),
        ({"token_cap_global": 500, "cost_escalation_policy": "warn"}, None),
        ({"time_cap_seconds": 5}, None),
        (None, None),
    ],
)
def test_the_anchors_cap_is_read_unless_it_only_warns(cost: dict[str, Any] | None, cap: int | None) -> None:
    anchor = json.loads(anchor_text())
    anchor["pivot_intentions"]["budget_cost"] = cost
    assert anchor_gate.judge(json.dumps(anchor)).token_cap == cap


@pytest.mark.parametrize("usd", [2, "2,50", "-1", "1e3", "0.1234567", "12345678"])
def test_money_is_decimal_text(usd: object) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate({"usd": usd})


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "/etc/localtime"])
def test_a_time_zone_is_one(zone: str) -> None:
    with pytest.raises(ValidationError):
        ProfileBudget(usd="1", timezone=zone)


def test_a_sum_is_checked_only_where_all_of_it_is() -> None:
    assert source_of_sum("", "gateway") == "gateway"
    assert source_of_sum("gateway", "") == "gateway"
    assert source_of_sum("gateway", "gateway") == "gateway"
    assert source_of_sum("gateway", "agent") == "agent"
