"""Whether a request may go on, as far as money is concerned: pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .amounts import Amount
from .books import Books
from .grants import Grant


class Verdict(Enum):
    """`WAIT`: what is under way decides it."""

    ADMIT = "admit"
    WAIT = "wait"
    REFUSE = "refuse"


class Decision(NamedTuple):
    """With the scope of the budget that is used up, and how much of it, in words."""

    verdict: Verdict
    scope: str = ""
    used: str = ""


def decide(books: Books, grant: Grant, amount: Amount) -> Decision:
    """Judge a request that may use `amount` at most.

    Near the end of a budget, where what a request may use at most is more than what is left, requests go one at a
    time: what is overspent is a part of one request.
    """
    waits = False
    for scope in dict.fromkeys(budget.scope for budget in grant.budgets):
        limits = books.limits(scope)
        spent, reserved = books.spent.get(scope, Amount()), books.reserved.get(scope, Amount())
        if used := limits.reached(spent):
            return Decision(Verdict.REFUSE, scope, used)
        fits = not limits.exceeded(spent.plus(reserved).plus(amount))
        waits = waits or (not fits and books.under_way[scope] > 0)
    return Decision(Verdict.WAIT if waits else Verdict.ADMIT)
