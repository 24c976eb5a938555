"""What runs of one repository can do to each other's work, and to the user's: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.nothing_lost.agents import IGNORED, Agents
from tests.local.nothing_lost.kept import OWN
from tests.local.supervisor.scene import Scene, make_scene
from tests.local.workspaces.repos import git

COMMITTERS, COMMITS = 6, 12

# Runs wait for each other by files in the folder of all runs.
MEET = 'meet() { touch "$AUTONOMOUS_RUNS_DIR/$1"; until test -e "$AUTONOMOUS_RUNS_DIR/$2"; do sleep 0.05; done; }\n'


def test_collecting_garbage_in_one_run_takes_nothing_of_others(agents: Agents) -> None:
    word = "$AUTOPACK_RUN_ID"
    commits = f"for n in $(seq {COMMITS}); do echo {word}-$n >{word}; git add -A; git commit -qm $n; done"
    done = f'trap "touch $AUTONOMOUS_RUNS_DIR/{word}.done" EXIT'
    names = [f"run-{number}" for number in range(COMMITTERS)]
    until = f"while [ $(ls $AUTONOMOUS_RUNS_DIR | grep -c 'done$') -lt {COMMITTERS} ]"
    collector = f"{until}; do git gc -q --prune=now 2>&1 || true; done"
    agents.work_together(
        {"collector": collector} | dict.fromkeys(names, f"{done}; {commits}; echo {word}-dirty >dirty")
    )
    contents = [f"{name}-{number}\n" for name in names for number in range(1, COMMITS + 1)]
    assert git(agents.repo, "fsck", "--full", "--no-dangling") == ""
    assert agents.lost(*contents, *(f"{name}-dirty\n" for name in names), prefixes=OWN) == []


BRANCHES = "git for-each-ref --format='%(refname)' 'refs/heads/autopack/*'"


def test_a_run_that_deletes_the_branches_of_finished_runs_loses_nothing(agents: Agents) -> None:
    result = agents.work("echo A >n; git add n; git commit -qm a")
    agents.work(
        f"{BRANCHES} | grep -v $AUTOPACK_RUN_ID$ | xargs -rn1 git update-ref -d; git gc -q --prune=now", "run-2"
    )
    assert agents.lost(str(result.commit), "A\n") == []


def test_a_finished_run_has_a_ref_of_its_own_beside_its_branch(agents: Agents) -> None:
    result = agents.work("echo A >n; git add n; git commit -qm a")
    git(agents.repo, "branch", "-qD", "autopack/run-1")
    assert agents.lost(str(result.commit), prefixes=OWN) == []


def test_two_runs_stash_and_pop_their_own(agents: Agents) -> None:
    one = "echo one >README.md; git stash -q; meet 1 2; git stash pop -q; meet 3 4; cat README.md"
    two = "meet 2 1; echo two >README.md; git stash -q; meet 4 3; git stash pop -q; cat README.md"
    results = agents.work_together({"one": f"{MEET}{one}", "two": f"{MEET}{two}"})
    assert {name: result.stdout for name, result in results.items()} == {"one": "one\n", "two": "two\n"}
    assert agents.lost("one\n", "two\n", prefixes=OWN) == []


def test_a_stash_that_is_left_is_kept_and_not_the_users(agents: Agents) -> None:
    git(agents.repo, "config", "user.name", "User")
    (agents.repo / "README.md").write_text("the user's\n")
    git(agents.repo, "stash", "push", "-q", "-m", "mine")
    agents.work('test -z "$(git stash list)"; echo A >README.md; git stash -q')
    assert git(agents.repo, "stash", "list") == "stash@{0}: On main: mine"
    assert agents.lost("A\n", prefixes=OWN) == []


EXCLUDE = "exclude=$(git rev-parse --git-path info/exclude); mkdir -p $(dirname $exclude); echo '*.out' >>$exclude"


def test_what_a_run_excludes_is_not_excluded_for_the_next(agents: Agents) -> None:
    agents.work(EXCLUDE)
    agents.work("echo A >b.out", "run-2")
    assert agents.lost("A\n") == []


def test_what_a_run_excludes_in_its_own_repository_is_saved(agents: Agents) -> None:
    agents.work(f"{EXCLUDE}; echo A >b.out")
    assert agents.lost("A\n") == []


@pytest.mark.parametrize(
    "change",
    [
        "git config core.hooksPath /tmp/hooks",
        "git config core.bare true",
        "git config core.worktree /tmp",
        "git remote add elsewhere https://elsewhere.invalid/x.git",
        "git config --unset user.name",
        'printf "#!/bin/sh\\nexit 1\\n" >"$(git rev-parse --git-path hooks)/pre-commit"',
    ],
)
def test_what_a_run_configures_is_its_own(agents: Agents, change: str) -> None:
    before = surroundings(agents.repo)
    agents.work(f"mkdir -p $(git rev-parse --git-path hooks); {change}")
    assert surroundings(agents.repo) == before
    assert agents.work("echo A >n; git add n; git commit -qm a", "run-2").success


def surroundings(repo: Path) -> dict[str, str]:
    """Return what decides how git behaves in a repository."""
    places = [repo / ".git/config", repo / ".git/info/exclude", *(repo / ".git/hooks").glob("*[!e]")]
    return {place.name: place.read_text() for place in places if place.exists()}


@pytest.mark.parametrize("destroyed", ["rm .git", f"mv .git {IGNORED}"])
def test_a_run_without_its_git_file_does_not_move_the_users_checkout(tmp_path: Path, destroyed: str) -> None:
    agents = Agents(_InsideScene.of(tmp_path))
    before = git(agents.repo, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads")
    script = f"{destroyed}; git checkout -qb oops || true; echo A >n; git add -f n || true; git commit -qm oops || true"
    agents.work(script)
    assert git(agents.repo, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(agents.repo, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads") == before
    assert git(agents.repo, "diff", "--cached", "--name-only") == ""
    assert agents.lost("A\n") == []


class _InsideScene(Scene):
    """The folder of runs lies in the repository, as it does where nobody says otherwise."""

    @classmethod
    def of(cls, root: Path) -> _InsideScene:
        make_scene(root)
        return cls(root)

    @property
    def runs(self) -> Path:
        return self.repo / ".autonomous_runs"
