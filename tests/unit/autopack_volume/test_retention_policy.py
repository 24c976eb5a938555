"""What of a volume goes, and above all what does not."""

from __future__ import annotations

from typing import Any

import pytest

from autopack.errors import InvalidInput
from autopack_volume.service.retention.policy import Attempt, Removal, Repository, plan
from autopack_volume.service.settings import NEVER, Policy, retention

DAY = 86400.0
NOW = 100 * DAY


def repository(key: str = "u-1", **changes: Any) -> Repository:
    return Repository(key, size=10, used_at=NOW - 40 * DAY, can_be_fetched=True, needed=False)._replace(**changes)


def attempt(**changes: Any) -> Attempt:
    one = Attempt("uid", 1, "run", "u-1", NOW - 40 * DAY, bundle=5, imported=True, run_at_work=False)
    return one._replace(**changes)


def kinds(removals: list[Removal]) -> list[str]:
    return [removal.kind for removal in removals]


def test_without_a_policy_nothing_goes() -> None:
    assert plan(NEVER, [repository()], [attempt()], NOW) == []
    assert not NEVER.removes_something


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"used_at": NOW - 29 * DAY}, False),
        ({"needed": True}, False),
        ({"can_be_fetched": False}, False),
    ],
    ids=["unused", "used of late", "commits stand on it", "brought by hand"],
)
def test_a_mirror(changes: dict[str, Any], goes: bool) -> None:
    assert kinds(plan(Policy(mirrors=30 * DAY), [repository(**changes)], [], NOW)) == (["mirror"] if goes else [])


def test_of_mirrors_that_take_up_too_much_those_unused_for_longest_go_first() -> None:
    trees = [repository("u-new", used_at=NOW), repository("u-old"), repository("u-held", used_at=0.0, needed=True)]
    removals = plan(Policy(mirrors_bytes=20), trees, [], NOW)
    assert [removal.key for removal in removals] == ["u-old"]


@pytest.mark.parametrize(
    ("changes", "goes"),
    [({}, True), ({"ended_at": NOW - DAY}, False), ({"bundle": None}, False), ({"imported": False}, False)],
    ids=["imported", "young", "gone", "not all of it imported"],
)
def test_a_bundle(changes: dict[str, Any], goes: bool) -> None:
    assert kinds(plan(Policy(bundles=7 * DAY), [], [attempt(**changes)], NOW)) == (["bundle"] if goes else [])


@pytest.mark.parametrize(
    ("changes", "goes"),
    [({}, True), ({"ended_at": NOW - DAY}, False), ({"run_at_work": True}, False)],
    ids=["old", "young", "the run goes on"],
)
def test_results(changes: dict[str, Any], goes: bool) -> None:
    assert kinds(plan(Policy(results=30 * DAY), [], [attempt(**changes)], NOW)) == (["results"] if goes else [])


def test_zero_in_the_environment_means_never() -> None:
    assert retention({"AUTOPACK_KEEP_RESULTS_DAYS": "0"}) == NEVER
    assert retention({"AUTOPACK_KEEP_MIRRORS_DAYS": "1", "AUTOPACK_MIRRORS_MAX_GIB": "2"}) == Policy(DAY, 2 << 30)


def test_a_number_that_is_none_names_its_variable() -> None:
    with pytest.raises(InvalidInput, match="AUTOPACK_KEEP_BUNDLES_DAYS"):
        retention({"AUTOPACK_KEEP_BUNDLES_DAYS": "soon"})
