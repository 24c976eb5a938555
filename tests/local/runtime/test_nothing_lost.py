"""Whatever an agent does with git in a pod can be found again in the results, or is named as not saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import UID, Api, Pod, git
from .test_resume import next_pod, state

KEPT = f"refs/runs/{UID}/a1/kept"
IDENTITY = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def results(volume: Path) -> Path:
    return volume / ".repos/n-demo/results.git"


def blob(text: str) -> str:
    """The id of a file with this text."""
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def reachable(results: Path) -> set[str]:
    """All that the refs in the results lead to."""
    return {line.split(" ")[0] for line in git("rev-list", "--objects", "--all", cwd=results).splitlines()}


def record(results: Path) -> dict[str, Any]:
    """What the keeper noted about what it kept beside the run's refs."""
    return dict(json.loads(git("show", f"{KEPT}:record.json", cwd=results)))


ROWS = {
    "autostash of a rebase that stops": """
        git checkout -qb o; echo o > README.md; git commit -qam o; git checkout -q -; echo m > README.md
        git commit -qam m; echo other > other; git add other; git commit -qm other; echo precious > other
        git rebase -q --autostash o || true""",
    "autostash of a merge that stops": """
        echo other > other; git add other; git commit -qm other
        git checkout -qb o; echo o > README.md; git commit -qam o; git checkout -q -; echo m > README.md
        git commit -qam m; echo precious > other; git merge -q --autostash o || true""",
    "staged and changed again": "echo precious > n; git add n; echo B > n",
    "a commit that was amended away": """
        echo precious > n; git add n; git commit -qm 1; echo B > n; git commit -qa --amend -m 2""",
    "a dropped stash": "echo precious > README.md; git stash -q; git stash drop -q",
    "an inner repository as a gitlink": """
        git init -q fe; cd fe; echo precious > f; git add f; git commit -qm f; git rm -q f; git commit -qm gone
        cd ..; git add fe; git commit -qm fe""",
    "an inner repository in an ignored folder": """
        mkdir ignored; git init -q ignored/fe; cd ignored/fe; echo precious > f; git add f; git commit -qm f""",
    "a dirty file of an inner repository in an ignored folder": """
        mkdir ignored; git init -q ignored/fe; cd ignored/fe; echo x > f; git add f; git commit -qm f
        echo precious > f""",
    "pushed to a bare repository inside": """
        git init -q --bare ignored/bare.git; git checkout -q --detach; echo precious > f; git add f; git commit -qm f
        git push -q ignored/bare.git HEAD:refs/heads/x; git reset -q --hard HEAD~1""",
    "committed in an inner worktree": """
        git worktree add -q --detach ignored/w; cd ignored/w; echo precious > f; git add f; git commit -qm f""",
    "dirty in an inner worktree": "git worktree add -q --detach ignored/w; echo precious > ignored/w/f",
    "an encoding that the file does not fit": """
        echo '*.rc working-tree-encoding=UTF-16' > .gitattributes; printf 'odd' > a.rc; echo precious > b.py""",
    "beside a file too large to be saved": "truncate -s 1T big; echo precious > small",
}


@pytest.mark.parametrize("row", ROWS)
async def test_it_can_be_found_again(api: Api, ready: Pod, results: Path, row: str) -> None:
    pod = ready.with_env(**IDENTITY)
    assert pod.init() == 0
    pod.start_keeper()
    assert pod.run(ROWS[row]) == 0
    pod.wait_for("result.json")
    assert pod.stop_keeper() == 0
    status, answer = await api.commit(removeWorkspace=True)
    assert status == 200, answer
    assert blob("precious\n") in reachable(results)
    left_out = ["big"] if "truncate" in ROWS[row] else []
    assert [one["path"] for one in answer["unsaved"]] == left_out
    assert pod.workspace.exists() == bool(left_out)


async def test_what_cannot_be_saved_is_named_with_its_size_and_why(api: Api, ready: Pod) -> None:
    ready.live("truncate -s 1T big; echo x > small")
    _, answer = await api.commit()
    assert (answer["complete"], answer["saved"], answer["unsavedCount"]) == (False, "partly", 1)
    assert answer["unsaved"] == [{"path": "big", "bytes": 1 << 40, "reason": "larger than 2 GiB"}]


async def test_a_run_that_made_nothing_has_nothing_kept_beside_its_refs(api: Api, ready: Pod, results: Path) -> None:
    ready.live("echo x > README.md; git commit -qam x; echo y > README.md")
    _, answer = await api.commit()
    assert (answer["saved"], answer["unsaved"]) == ("all", [])
    assert git("for-each-ref", KEPT, cwd=results) == ""


async def test_where_a_pod_dies_nobody_knows_what_is_not_saved(api: Api, ready: Pod) -> None:
    ready.init()
    ready.run("echo x > x")
    _, answer = await api.commit()
    assert (answer["complete"], answer["saved"]) == (False, "unknown")


async def test_an_attempt_that_never_began_has_lost_nothing(api: Api, ready: Pod) -> None:
    _, answer = await api.commit()
    assert (answer["complete"], answer["saved"]) == (False, "all")


async def test_an_attempt_whose_last_save_fails_says_so(api: Api, ready: Pod) -> None:
    ready.init()
    ready.run('echo x > x; rm -rf "$(git rev-parse --git-common-dir)"')
    ready.start_keeper()
    ready.wait_for("result.json")
    ready.stop_keeper()
    _, answer = await api.commit(removeWorkspace=True)
    assert (answer["complete"], answer["saved"], answer["unsavedCount"]) == (False, "none", 1)
    assert ready.workspace.exists()


async def test_objects_that_git_refuses_cost_the_run_nothing_else(api: Api, ready: Pod, results: Path) -> None:
    script = """
    blob=$(printf /etc/passwd | git hash-object -w --stdin)
    git commit-tree -m evil "$(printf "120000 blob $blob\\t.gitmodules\\n" | git mktree)"
    echo mine > mine; git add mine; git commit -qm mine
    """
    ready.live(script)
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["saved"]) == (200, "partly")
    assert git("log", "-1", "--format=%s", answer["ref"], cwd=results) == "mine"
    assert [one["path"] for one in answer["unsaved"]] == ["results.bundle"]
    assert "gitmodules" in answer["unsaved"][0]["reason"]
    assert ready.workspace.exists()


async def test_the_record_says_what_lay_where(api: Api, ready: Pod, results: Path) -> None:
    inner = "git init -q fe; cd fe; git commit -q --allow-empty -m inner"
    ready.with_env(**IDENTITY).live(f"echo A > n; git add n; echo B > n; {inner}")
    await api.commit()
    noted = record(results)
    assert noted["staged"] == {"n": [blob("A\n")]}
    [inner] = noted["repositories"]
    assert inner["path"] == "fe"
    assert git("log", "-1", "--format=%s", inner["head"], cwd=results) == "inner"


SPARSE = "mkdir docs src; echo d > docs/d; echo s > src/s; git add .; git commit -qm all; git sparse-checkout set src; "


@pytest.mark.parametrize(
    "then", ["", "echo more >> src/s; echo new > new.txt; ", "echo x > docs.txt; git add docs.txt; "]
)
async def test_what_was_not_checked_out_is_not_deleted_for_the_next_attempt(
    api: Api, ready: Pod, make_pod: Callable[..., Pod], results: Path, then: str
) -> None:
    ready.live(f"{SPARSE}{then}exit 1")
    _, answer = await api.commit()
    pod = await next_pod(api, make_pod)
    assert not [line for line in state(pod) if "docs/" in line or line.startswith((" D", "D"))]
    pod.start_keeper()
    pod.run("git add -A; git commit -qm everything --allow-empty; exit 0")
    pod.wait_for("result.json")
    pod.stop_keeper()
    _, answer = await api.commit(attempt=2)
    listed = git("ls-tree", "-r", "--name-only", answer["head"], cwd=results).split()
    assert {"docs/d", "src/s"} <= set(listed)
