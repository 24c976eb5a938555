"""Plans and judges of deliveries."""

from __future__ import annotations

import pytest

from faults.delivery.judge import NOTHING, Pull, Remains, judge
from faults.delivery.plans import EVERY_NTH, cycle, delivery_plans
from faults.plan import Kind, Match

OURS, THEIRS, BEFORE = "a" * 40, "b" * 40, "c" * 40
PULL = Pull("open", "text <!-- mark -->", ["agents"], ["grace"])
RIGHT = Remains(
    answer={"state": "delivered", "commit": OURS},
    commit=OURS,
    squashed=False,
    expected="",
    moved_to="",
    marker="<!-- mark -->",
    tip=OURS,
    tree="t",
    wanted_tree="t",
    moves=[(NOTHING, OURS)],
    pulls=[PULL],
    statuses=["success"],
    others_changed=False,
)


def test_what_is_right_is_not_blamed() -> None:
    assert judge(RIGHT) == []
    assert judge(RIGHT._replace(expected=BEFORE, moves=[(BEFORE, OURS)])) == []
    moved = RIGHT._replace(answer={"state": "conflict"}, moved_to=THEIRS, tip=THEIRS, moves=[(NOTHING, THEIRS)])
    assert judge(moved._replace(pulls=[])) == []
    assert judge(moved._replace(answer=RIGHT.answer, moves=[(NOTHING, OURS), (OURS, THEIRS)])) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"moves": [(BEFORE, OURS)]}, "forced: "),
        ({"moves": [(NOTHING, THEIRS), (THEIRS, OURS)], "moved_to": THEIRS}, "forced: "),
        ({"others_changed": True}, "forced: "),
        ({"pulls": [PULL, PULL]}, "doubled: 2 pull requests"),
        ({"pulls": [PULL._replace(labels=["agents", "agents"])]}, "doubled: "),
        ({"moves": [(NOTHING, BEFORE), (BEFORE, OURS)]}, "doubled: the branch"),
        ({"answer": {"state": "never"}}, "lost: the answer"),
        ({"answer": {"state": "conflict"}}, "lost: the answer"),
        ({"tip": BEFORE}, "lost: the branch is at"),
        ({"tree": "other"}, "lost: the branch has other files"),
        ({"pulls": []}, "lost: there is no pull request"),
        ({"pulls": [PULL._replace(body="no marker")]}, "lost: there is no pull request"),
        ({"pulls": [PULL._replace(labels=[])]}, "lost: labels"),
        ({"statuses": ["pending", "success"]}, "lost: the commit's status"),
        ({"moved_to": THEIRS, "tip": THEIRS, "moves": [(NOTHING, THEIRS)]}, "the remote was moved"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, object], said: str) -> None:
    assert any(words.startswith(said) for words in judge(RIGHT._replace(**changed)))  # type: ignore[arg-type]


def test_a_quick_campaign_plays_every_kind_of_fault() -> None:
    matches = [Match(verb="get", resource=f"r{number}", name="~") for number in range(11)]
    plans = delivery_plans({"first": matches, "squashed": matches, "again": matches})
    quick = plans[::EVERY_NTH]
    assert len(quick) < 15
    assert {plan.fault.kind for plan in quick} == {plan.fault.kind for plan in plans}


def test_so_many_deliveries_are_played_beside_those_that_are_moved_away_from() -> None:
    played = list(cycle(delivery_plans({"first": [Match(verb="get", resource="r", name="~")]}), 25))
    moved = sum(plan.fault.kind is Kind.REMOTE_MOVED for plan in played)
    assert len(played) - moved == 25
    assert moved > 0
