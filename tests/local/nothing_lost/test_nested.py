"""Repositories and worktrees that a run makes inside its own are saved as repositories, wherever they lie."""

from __future__ import annotations

import json

import pytest
from tests.local.nothing_lost.agents import IGNORED, Agents
from tests.local.workspaces.repos import commit, git, make_repo

ONE = "echo one >a; git add a; git commit -qm one; git rev-parse HEAD"


def records(agents: Agents) -> list[dict[str, object]]:
    """Return what is noted under the run's refs about the repositories that lay in its tree."""
    tips = git(agents.repo, "for-each-ref", "--format=%(objectname)", "refs/autopack", "refs/autopack-history").split()
    files = [git(agents.repo, "show", f"{tip}:record.json", check=False) for tip in tips]
    return [one for file in files if file for one in json.loads(file)["repositories"]]


def test_the_commits_of_an_inner_repository_added_as_a_link(agents: Agents) -> None:
    result = agents.work(f"git init -q fe; cd fe; {ONE}; echo two >b; cd ..; git add fe; git commit -qm link")
    assert agents.lost(*result.stdout.split(), "one\n", "two\n") == []
    assert [one["path"] for one in records(agents)] == ["fe"]


def test_all_refs_of_an_inner_repository_are_saved_and_noted(agents: Agents) -> None:
    inner = f"git init -q -b trunk fe; cd fe; {ONE}; git checkout -qb side; echo two >b; git add b; git commit -qm two"
    tagged = "git rev-parse HEAD; git tag -a -m v1 v1; git rev-parse v1; git checkout -q trunk; git branch -D side >&2"
    result = agents.work(f"{inner}; {tagged}; git stash list >&2; echo three >a; git stash -q; git rev-parse stash")
    one, two, tag, stash = result.stdout.split()
    assert agents.lost(one, two, stash, "three\n") == []
    (record,) = records(agents)
    assert (record["path"], record["branch"], record["head"]) == ("fe", "trunk", one)
    assert record["refs"] == {"refs/heads/trunk": one, "refs/tags/v1": tag, "refs/stash": stash}


@pytest.mark.parametrize("place", ["", f"{IGNORED}/"], ids=["plain", "ignored"])
def test_a_bare_repository_inside_the_tree(agents: Agents, place: str) -> None:
    script = f"""
        mkdir -p ./{place}; git init -q --bare {place}up.git; git init -q {place}fe; cd {place}fe
        git remote add origin "$AUTOPACK_WORKSPACE/{place}up.git"
        {ONE}; git push -q origin HEAD:refs/heads/pushed; cd "$AUTOPACK_WORKSPACE"; rm -rf {place}fe
    """
    result = agents.work(script)
    assert agents.lost(*result.stdout.split(), "one\n") == []


def test_a_clone_in_an_ignored_folder(agents: Agents) -> None:
    result = agents.work(f"git clone -q . {IGNORED} 2>&1; cd {IGNORED}; {ONE}; echo two >b; echo three >README.md")
    assert agents.lost(*result.stdout.split(), "one\n", "two\n", "three\n") == []


def test_a_worktree_in_an_ignored_folder(agents: Agents) -> None:
    script = f"git worktree add -q --detach {IGNORED}/w; cd {IGNORED}/w; {ONE}; echo two >b; echo three >README.md"
    result = agents.work(script)
    git(agents.repo, "worktree", "prune")
    assert agents.lost(*result.stdout.split(), "one\n", "two\n", "three\n") == []
    assert git(agents.repo, "worktree", "list").count("\n") == 0


def test_a_repository_in_a_repository_in_an_ignored_folder(agents: Agents) -> None:
    script = f"mkdir {IGNORED}; cd {IGNORED}; git init -q x; cd x; {ONE}; echo y >.gitignore; git init -q y; cd y"
    result = agents.work(f"{script}; echo two >b; git add b; git commit -qm two; git rev-parse HEAD; echo three >c")
    assert agents.lost(*result.stdout.split(), "one\n", "two\n", "three\n") == []


def test_a_commit_in_a_submodule(agents: Agents) -> None:
    library = make_repo(agents.scene.root / "library")
    git(agents.repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    commit(agents.repo, {}, "a submodule")
    fetch = "git -c protocol.file.allow=always submodule --quiet update --init"
    script = f"{fetch}; cd lib; {ONE}; cd ..; git add lib; git commit -qm bump; echo two >lib/b"
    result = agents.work(script, allow_incomplete=True)
    assert agents.lost(*result.stdout.split(), "one\n", "two\n") == []


def test_a_repository_made_anew_in_the_worktrees_place(agents: Agents) -> None:
    result = agents.work(f"rm .git; git init -q; {ONE}; git rev-parse HEAD; echo two >b")
    assert agents.lost(*result.stdout.split(), "one\n", "two\n") == []


def test_a_repository_whose_git_dir_lies_elsewhere_in_the_tree(agents: Agents) -> None:
    result = agents.work(f"mkdir {IGNORED}; git init -q --separate-git-dir={IGNORED}/g fe; cd fe; {ONE}; echo two >b")
    assert agents.lost(*result.stdout.split(), "one\n", "two\n") == []


@pytest.mark.parametrize(("git_dir", "place"), [("a", "z"), ("z", "a")])
def test_wherever_the_git_dir_lies_beside_its_ignored_work_tree(agents: Agents, git_dir: str, place: str) -> None:
    agents.work(f"mkdir {IGNORED}; cd {IGNORED}; git init -q --separate-git-dir={git_dir} {place}; echo two >{place}/b")
    assert agents.lost("two\n") == []


def test_a_copy_that_has_the_same_git_dir(agents: Agents) -> None:
    apart = f"mkdir {IGNORED}; cd {IGNORED}; git init -q --separate-git-dir=g fe; cp -r fe fe2"
    agents.work(f"{apart}; echo one >fe/a; echo two >fe2/b")
    assert agents.lost("one\n", "two\n") == []


def test_a_copy_of_the_worktree_itself(agents: Agents) -> None:
    agents.work(f"mkdir {IGNORED}; cp -r .git *.md {IGNORED}; echo two >{IGNORED}/README.md; echo one >{IGNORED}/a")
    assert agents.lost("one\n", "two\n") == []
