"""What git holds only in its states in progress, its reflogs and its index is not lost when a run ends there."""

from __future__ import annotations

import pytest
from tests.local.nothing_lost.agents import Agents
from tests.local.nothing_lost.kept import OWN

# Two branches that cannot be merged, HEAD on the second, and an uncommitted change beside it.
CONFLICT = """
git checkout -q -b theirs; echo theirs >README.md; git commit -qam theirs; git checkout -q -
echo ours >README.md; git commit -qam ours; echo precious >src/a.py
"""

STATES = {
    "rebase --autostash": (f"{CONFLICT}fails git rebase -q --autostash theirs", ["precious\n", "ours\n"]),
    "merge --autostash": (f"{CONFLICT}fails git merge -q --autostash theirs", ["precious\n"]),
    "a commit under way in a rebase": (
        f"{CONFLICT}git stash -q; fails git rebase -q theirs; echo solved >README.md; git add README.md",
        ["solved\n", "precious\n"],
    ),
    "staged, then written again": ("echo A >n; git add n; echo B >n", ["A\n", "B\n"]),
    "staged, then removed": ("echo A >n; git add n; rm n", ["A\n"]),
    "staged and reset": ("echo A >n; git add n; git reset -q --hard", ["A\n"]),
    "staged and unstaged": ("echo A >n; git add n; git reset -q; rm n", ["A\n"]),
    "stash dropped": ("echo A >README.md; git stash -q; git stash drop -q", ["A\n"]),
    "stash left": ("echo A >README.md; echo B >n; git stash -q -u", ["A\n", "B\n"]),
    "amended": ("echo A >n; git add n; git commit -qm a; echo B >n; git commit -qa --amend -m b", ["A\n", "B\n"]),
    "reset and its log deleted": (
        "echo A >n; git add n; git commit -qm a; git reset -q --hard HEAD^; git reflog expire --expire=now --all",
        ["A\n"],
    ),
    "a branch deleted": (
        "git checkout -qb x; echo A >n; git add n; git commit -qm a; git checkout -q -; git branch -qD x",
        ["A\n"],
    ),
    "another branch than ours": (
        "git checkout -qb x; echo A >n; git add n; git commit -qm a; git checkout -q -",
        ["A\n"],
    ),
    "a note": ("git notes add -m A", ["A\n"]),
    "an annotated tag of a blob": ("git tag -a -m a t $(echo A | git hash-object -w --stdin)", ["A\n"]),
    "an orphan": ("git checkout -q --orphan x; echo A >n; git add n; echo B >n", ["A\n", "B\n"]),
    "written as an object only": ("echo A | git hash-object -w --stdin", ["A\n"]),
}


@pytest.mark.parametrize("state", STATES)
def test_what_a_state_holds_is_kept(agents: Agents, state: str) -> None:
    script, contents = STATES[state]
    agents.work(script)
    assert agents.lost(*contents, prefixes=OWN) == []


def test_a_detached_head_is_on_a_ref(agents: Agents) -> None:
    result = agents.work("git checkout -q --detach; echo A >n; git add n; git commit -qm a; git rev-parse HEAD")
    assert agents.lost(*result.stdout.split(), prefixes=OWN) == []
