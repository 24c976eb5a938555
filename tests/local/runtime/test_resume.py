"""A further attempt begins with what the one before it left: real git, real processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import UID, Api, Pod, git
from .test_crashes import PREPARE, ask, leftovers

MakePod = Callable[..., Pod]
WORK = """
echo one > one.txt; git add one.txt; git commit -qm one; git branch side; git tag mark
echo two > one.txt; echo new > new.txt; mkdir -p deep ignored; echo x > deep/file; rm README.md
echo kept > ignored/kept; git add -f ignored/kept; echo lost > ignored/lost
exit 7
"""


async def next_pod(api: Api, make_pod: MakePod, attempt: int = 2) -> Pod:
    """The next attempt's pod, its workspace made."""
    status, answer = await api.put(attempt=attempt, resume=True)
    assert status == 200, answer
    pod = make_pod(answer, attempt=attempt)
    assert pod.init() == 0
    return pod


def state(pod: Pod) -> list[str]:
    """What `git status` says of the pod's worktree."""
    return sorted(git("status", "--porcelain", "--untracked-files=all", cwd=pod.workspace).splitlines())


async def test_commits_come_back_as_they_were_and_changes_uncommitted(api: Api, ready: Pod, make_pod: MakePod) -> None:
    ready.live(WORK)
    await api.commit()
    pod = await next_pod(api, make_pod)
    for question in (
        ["rev-parse", "HEAD", "autopack/fix-it", "side", "mark"],
        ["symbolic-ref", "HEAD"],
        ["log", "--format=%H %an %s"],
    ):
        assert git(*question, cwd=pod.workspace) == git(*question, cwd=ready.workspace)
    assert state(pod) == [" D README.md", " M one.txt", "?? deep/file", "?? new.txt", "A  ignored/kept"]
    assert (pod.workspace / "one.txt").read_text() == "two\n"
    assert not (pod.workspace / "ignored/lost").exists()


async def test_the_volume_names_the_commit_that_is_gone_on_from(api: Api, ready: Pod) -> None:
    ready.live(WORK)
    _, committed = await api.commit()
    _, answer = await api.put(attempt=2, resume=True)
    assert answer["resumedFrom"] == committed["snapshot"]
    assert answer["sha"] == ready.env["AUTOPACK_SHA"]


async def test_an_attempt_that_shall_begin_anew_knows_nothing_of_the_one_before(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    ready.live(WORK)
    await api.commit()
    _, answer = await api.put(attempt=2)
    pod = make_pod(answer, attempt=2)
    assert pod.init() == 0
    assert state(pod) == []
    assert git("rev-parse", "HEAD", cwd=pod.workspace) == answer["sha"]
    assert "resumedFrom" not in answer


async def test_the_first_answer_holds_whatever_is_asked_later(api: Api, ready: Pod) -> None:
    ready.live(WORK)
    await api.commit()
    _, first = await api.put(attempt=2, resume=True)
    assert (await api.put(attempt=2, resume=False))[1] == first


async def test_an_attempt_that_left_nothing_is_followed_by_one_from_the_source(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    ready.live("exit 1")
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert git("rev-parse", "HEAD", cwd=pod.workspace) == ready.env["AUTOPACK_SHA"]
    assert state(pod) == []


async def test_an_attempt_that_dies_before_its_first_snapshot_loses_nothing_of_the_one_before(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    ready.live(WORK)
    _, first = await api.commit()
    (await next_pod(api, make_pod)).start_keeper()
    _, second = await api.commit(attempt=2)
    assert (second["complete"], second["snapshot"], second["head"]) == (False, first["snapshot"], first["head"])
    third = await next_pod(api, make_pod, 3)
    assert (third.workspace / "one.txt").read_text() == "two\n"


async def test_work_goes_on_over_several_attempts(api: Api, ready: Pod, make_pod: MakePod) -> None:
    ready.live("echo 1 > log; git add log; git commit -qm 1; echo dirty > dirty; exit 1")
    await api.commit()
    second = await next_pod(api, make_pod)
    second.start_keeper()
    second.run("test $(cat dirty) = dirty; echo 2 >> log; git commit -qam 2; exit 1")
    second.wait_for("result.json")
    second.stop_keeper()
    await api.commit(attempt=2)
    third = await next_pod(api, make_pod, 3)
    assert git("log", "--format=%s", cwd=third.workspace).split() == ["2", "1", "first"]
    assert state(third) == ["?? dirty"]


@pytest.mark.parametrize(
    ("script", "branch"),
    [
        ("git checkout -q --detach; git commit -q --allow-empty -m apart", None),
        ("git checkout -qb own; touch x", "own"),
    ],
)
async def test_head_is_where_it_was(api: Api, ready: Pod, make_pod: MakePod, script: str, branch: str | None) -> None:
    ready.live(f"{script}; git commit -q --allow-empty -m more; exit 1")
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert git("rev-parse", "HEAD", cwd=pod.workspace) == git("rev-parse", "HEAD", cwd=ready.workspace)
    assert git("branch", "--show-current", cwd=pod.workspace) == (branch or "")


async def test_the_workspace_container_killed_halfway_begins_again(api: Api, ready: Pod, make_pod: MakePod) -> None:
    ready.live(WORK)
    await api.commit()
    _, answer = await api.put(attempt=2, resume=True)
    pod = make_pod(answer, attempt=2)
    assert pod.with_env(AUTOPACK_FAILPOINT="workspace.after_worktree:kill").container_exit("workspace") == -9
    assert pod.init() == 0
    assert (pod.workspace / "one.txt").read_text() == "two\n"


async def test_a_pod_that_outlives_its_attempt_cannot_change_what_the_next_begins_with(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    ready.live(WORK)
    await api.commit()
    bundle = ready.files.bundle
    bundle.chmod(0o600)
    bundle.write_bytes(b"# v2 git bundle\nforged")
    pod = await next_pod(api, make_pod)
    assert (pod.workspace / "one.txt").read_text() == "two\n"


async def test_an_attempt_that_was_never_taken_in_is_not_gone_on_from(api: Api, ready: Pod) -> None:
    assert ready.init() == 0
    status, answer = await api.put(attempt=2, resume=True)
    assert (status, answer["reason"]) == (422, "ResumeImpossible")


async def test_the_worktree_of_a_resumed_attempt_in_which_nothing_began_can_go(
    api: Api, ready: Pod, volume: Path
) -> None:
    ready.live(WORK)
    await api.commit()
    _, answer = await api.put(attempt=2, resume=True)
    await api.commit(attempt=2, removeWorkspace=True)
    assert not (volume / answer["workspace"]).exists()


def test_the_service_killed_after_it_carried_the_work_over(
    volume: Path, source: Path, make_pod: Callable[..., Pod]
) -> None:
    body = PREPARE | {"source": {"url": f"file://{source}"}}
    first = ask(volume, "PUT", f"/v1/attempts/{UID}/1", body)
    assert first is not None
    make_pod(first).live(WORK)
    assert ask(volume, "POST", f"/v1/attempts/{UID}/1/commit", {"runId": "fix-it"}) is not None
    again = body | {"resume": True}
    assert ask(volume, "PUT", f"/v1/attempts/{UID}/2", again, "volume.before_pin") is None
    answer = ask(volume, "PUT", f"/v1/attempts/{UID}/2", again)
    assert answer is not None
    pod = make_pod(answer, attempt=2)
    assert pod.init() == 0
    assert (pod.workspace / "one.txt").read_text() == "two\n"
    assert leftovers(volume) == []


async def test_a_killed_pod_loses_at_most_what_came_after_its_last_snapshot(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    assert ready.init() == 0
    ready.start_keeper()
    ready.wait_for_keeper()
    (ready.workspace / "half.txt").write_text("half done\n")
    ready.wait_for("results.bundle")
    ready.stop_keeper(signal.SIGKILL)
    await api.commit()
    assert ((await next_pod(api, make_pod)).workspace / "half.txt").read_text() == "half done\n"


INNER = """
git config user.name a; git config user.email b
mkdir ignored; git init -q fe; cd fe; git config user.name a; git config user.email b
echo 1 > f; git add f; git commit -qm inner; git tag t; echo 2 > f; echo new > g; cd ..
git init -q ignored/ui; cd ignored/ui; git config user.name a; git config user.email b
echo 1 > f; git add f; git commit -qm hidden; git checkout -q --detach; echo 2 > f; cd ../..
git init -q --bare ignored/bare.git; git -C fe push -q ../ignored/bare.git HEAD:refs/heads/x
git worktree add -q -b side ignored/w; echo w > ignored/w/w; exit 1
"""


async def test_repositories_inside_the_tree_are_there_again(api: Api, ready: Pod, make_pod: MakePod) -> None:
    ready.live(INNER)
    await api.commit()
    second = await next_pod(api, make_pod)
    second.start_keeper()
    second.run("exit 1")
    second.wait_for("result.json")
    second.stop_keeper()
    await api.commit(attempt=2)
    for pod in (second, await next_pod(api, make_pod, 3)):
        inside = {
            path: sorted(git("status", "--porcelain", cwd=pod.workspace / path).splitlines())
            for path in ("fe", "ignored/ui", "ignored/w")
        }
        assert inside == {"fe": [" M f", "?? g"], "ignored/ui": [" M f"], "ignored/w": ["?? w"]}
        heads = [git("log", "-1", "--format=%s", ref, cwd=pod.workspace / "fe") for ref in ("HEAD", "t")]
        assert heads == ["inner", "inner"]
        assert git("log", "-1", "--format=%s", cwd=pod.workspace / "ignored/ui") == "hidden"
        assert git("branch", "--show-current", cwd=pod.workspace / "ignored/w") == "side"
        assert git("log", "-1", "--format=%s", "x", cwd=pod.workspace / "ignored/bare.git") == "inner"


FOLDERS = "mkdir docs src; echo d > docs/d; echo s > src/s; git add .; git commit -qm all; "
PATTERNS = "git sparse-checkout set --no-cone '/*' '!/docs/'; "
SETTINGS = {
    "cone": ("git sparse-checkout set --cone src; ", "src"),
    "patterns": (PATTERNS, "/*\n!/docs/"),
}


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("work", ["", "echo more >> src/s; echo new > src/new; "])
async def test_what_was_not_checked_out_is_not_checked_out_again(
    api: Api, ready: Pod, make_pod: MakePod, kind: str, work: str
) -> None:
    settings, listed = SETTINGS[kind]
    ready.live(f"{FOLDERS}{settings}{work}exit 1")
    before = state(ready)
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert git("sparse-checkout", "list", cwd=pod.workspace) == listed
    assert not (pod.workspace / "docs").exists()
    assert (pod.workspace / "src/s").exists()
    assert state(pod) == before


async def test_changes_outside_of_a_sparse_checkout_stay(api: Api, ready: Pod, make_pod: MakePod) -> None:
    ready.live(f"{FOLDERS}{PATTERNS}mkdir docs; echo changed > docs/d; echo new > docs/new; exit 1")
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert (pod.workspace / "docs/d").read_text() == "changed\n"
    assert (pod.workspace / "docs/new").read_text() == "new\n"


async def test_marked_files_are_marked_again(api: Api, ready: Pod, make_pod: MakePod) -> None:
    ready.live(
        f"{FOLDERS}git update-index --assume-unchanged src/s; git update-index --skip-worktree docs/d;"
        "git update-index --assume-unchanged README.md; git update-index --skip-worktree README.md;"
        "echo mine > src/s; echo mine > docs/d; exit 1"
    )
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert [(pod.workspace / name).read_text() for name in ("src/s", "docs/d")] == ["mine\n", "mine\n"]
    marks = git("ls-files", "-v", "src", "docs", "README.md", cwd=pod.workspace).splitlines()
    assert sorted(marks) == ["S docs/d", "h src/s", "s README.md"]
    assert state(pod) == []


async def test_a_killed_keeper_has_saved_what_is_checked_out(api: Api, ready: Pod, make_pod: MakePod) -> None:
    assert ready.init() == 0
    ready.start_keeper()
    ready.wait_for_keeper()
    git("sparse-checkout", "set", "--no-cone", "/*", "!/src/", cwd=ready.workspace)
    (ready.workspace / "half.txt").write_text("half done\n")
    ready.wait_for("results.bundle")
    ready.stop_keeper(signal.SIGKILL)
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert git("sparse-checkout", "list", cwd=pod.workspace) == "/*\n!/src/"
    assert (pod.workspace / "half.txt").read_text() == "half done\n"


@pytest.mark.parametrize("forged", ["nonsense", "{}", "[]", '{"sparse": 1}', '{"sparse": {"patterns": 1, "cone": 0}}'])
async def test_a_run_that_writes_the_record_itself_harms_nobody(
    api: Api, ready: Pod, make_pod: MakePod, forged: str
) -> None:
    tree = f"$(printf '100644 blob %s\\tcheckout.json\\n' $(echo '{forged}' | git hash-object -w --stdin) | git mktree)"
    ready.live(f"{FOLDERS}git update-ref refs/autopack/checkout $(git commit-tree -m x {tree}); exit 1")
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert (pod.workspace / "src/s").exists()
