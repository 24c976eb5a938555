"""Which budgets bound a run: its own, its batch's, its profile's, and what the anchor's budget_cost leaves of them."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from autopack_operator.domain.api.budgets import Budget
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import SpentBudget
from autopack_operator.domain.spending import windows
from autopack_operator.domain.spending.views import Bound, Grant, Spent
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import BatchView, RunView

NOTHING = Budget(usd="0", tokens=0, requests=0)


def bounds_of(
    run: RunView,
    spec: AutopackRunSpec,
    batch: BatchView | None,
    profile: RunProfileSpec,
    token_cap: int | None,
    now: datetime,
) -> tuple[Bound, ...]:
    """The bounds, those that bound nothing left out. The anchor's cap is for all that stands under it: the whole batch,
    or a run on its own.
    """
    own, shared = spec.budget or Budget(), _budget_of(batch)
    found = [_bound(f"run:{run.uid}", own, token_cap if batch is None else None)]
    if batch is not None:
        found.append(_bound(f"batch:{batch.uid}", shared, token_cap))
    if (limit := profile.budget) is not None:
        began = windows.start_of(limit.window, limit.timezone, now)
        found.append(Bound(f"profile:{spec.profile_ref.name}:{rfc3339(began)}", limit.usd))
    return tuple(bound for bound in found if (bound.usd, bound.tokens, bound.requests) != (None, None, None))


def _budget_of(batch: BatchView | None) -> Budget:
    try:
        return Budget.model_validate((batch.spec.get("budget") if batch is not None else None) or {})
    except ValidationError:
        # Stored before a rule existed. A bound that cannot be read is not taken for none.
        return NOTHING


def _bound(scope: str, budget: Budget, cap: int | None) -> Bound:
    given = [tokens for tokens in (budget.tokens, cap) if tokens is not None]
    return Bound(scope, budget.usd, min(given, default=None), budget.requests)


def spent_budget(scope: str, bounds: tuple[Bound, ...]) -> SpentBudget | None:
    """The budget that is spent, as it is now; None where no such one bounds the run any more."""
    bound = next((bound for bound in bounds if bound.scope == scope), None)
    if bound is None:
        return None
    return SpentBudget(scope=scope, usd=bound.usd, tokens=bound.tokens, requests=bound.requests)


def exhausted(spent: Spent | None, told: Grant | None, grant: Grant | None, *, over: bool) -> SpentBudget | None:
    """The budget that the run has spent, if it still bounds it as the gateway was `told`; one that has changed since is
    told first, unless the attempt is `over`.
    """
    judged_by = told or (grant if over else None)
    if spent is None or spent.exhausted is None or judged_by is None or grant is None:
        return None
    budget = spent_budget(spent.exhausted, judged_by.bounds)
    return budget if budget is not None and (over or still_spent(budget, grant.bounds)) else None


def still_spent(before: SpentBudget, bounds: tuple[Bound, ...]) -> bool:
    """Whether that budget still bounds the run as it did. A part of it that was raised or taken away, or another window
    of the profile, lets the run go on: what is left is the gateway's to say.
    """
    now = spent_budget(before.scope, bounds)
    if now is None:
        return False
    pairs = ((_micro(before.usd), _micro(now.usd)), (before.tokens, now.tokens), (before.requests, now.requests))
    return not any(old is not None and (new is None or new > old) for old, new in pairs)


def _micro(usd: str | None) -> float | None:
    return None if usd is None else float(usd)


_WHOSE = {"run": "the run's budget", "batch": "the budget of its RunBatch", "profile": "the budget of its RunProfile"}
_REMEDY = {
    "run": "raise spec.budget, or the tokens of the anchor's budget_cost, to let it go on",
    "batch": "raise spec.budget of the RunBatch, or the tokens of the anchor's budget_cost, to let it go on",
    "profile": "it goes on in the next window, or when an administrator raises it",
}


def explained(budget: SpentBudget) -> str:
    """What is spent and what to do, for people."""
    kind = budget.scope.partition(":")[0]
    parts = ((budget.usd, "USD"), (budget.tokens, "tokens"), (budget.requests, "requests"))
    limit = ", ".join(f"{number} {unit}" for number, unit in parts if number is not None)
    return f"{_WHOSE.get(kind, budget.scope)} ({limit}) is spent; the work so far is kept; {_REMEDY.get(kind, '')}"
