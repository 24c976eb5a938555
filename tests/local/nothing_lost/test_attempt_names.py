"""The newest attempt has the plain names, and no name of an attempt is that of another run."""

from __future__ import annotations

from tests.local.nothing_lost.agents import Agents
from tests.local.workspaces.repos import git

# The first attempt commits one thing and fails, the second commits another.
RETRIED = """
word=$(test $AUTOPACK_ATTEMPT = 1 && echo broken || echo good)
echo $word >n; git add n; git commit -qm $word; echo $word dirty >dirty; test $word = good
"""


def test_the_newest_attempt_has_the_plain_names(agents: Agents) -> None:
    result = agents.work(RETRIED, "x", max_retries=1)
    good = git(agents.repo, "rev-parse", "refs/heads/autopack/x")
    assert git(agents.repo, "show", "refs/heads/autopack/x:n") == "good"
    assert git(agents.repo, "show", "refs/autopack/x:n") == "good"
    assert git(agents.repo, "show", "refs/autopack/x:dirty") == "good dirty"
    assert (result.attempt, result.branch, result.commit) == (2, "autopack/x", good)
    assert result.snapshot == git(agents.repo, "rev-parse", "refs/autopack/x")
    shown = agents.autopack("diff", "x").stdout
    assert ("good" in shown, "broken" in shown) == (True, False)


def test_what_the_attempt_before_did_is_kept(agents: Agents) -> None:
    agents.work(RETRIED, "x", max_retries=1)
    assert agents.lost("broken\n", "broken dirty\n", "good\n", "good dirty\n") == []


def test_no_attempt_is_taken_for_another_run(agents: Agents) -> None:
    agents.work(RETRIED, "x", max_retries=1)
    assert agents.autopack("diff", "x-2").returncode != 0
    other = agents.work("echo other >n; git add n; git commit -qm other", "x-2")
    assert other.branch == "autopack/x-2"
    assert git(agents.repo, "show", "refs/heads/autopack/x-2:n") == "other"
    shown = agents.autopack("diff", "x-2").stdout
    assert ("other" in shown, "good" in shown, "broken" in shown) == (True, False, False)
    assert git(agents.repo, "show", "refs/heads/autopack/x:n") == "good"
