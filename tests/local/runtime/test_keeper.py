"""The sidecar: what it saves, and what it does when it or its pod is stopped."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from tests.local.workspaces.repos import started, trace_git

from .conftest import UID, Api, Pod, git


@pytest.fixture
def results(volume: Path) -> Path:
    return volume / ".repos/n-demo/results.git"


def start(pod: Pod) -> None:
    assert pod.init() == 0
    pod.start_keeper()
    pod.wait_for_keeper()


def wait_for_bundle_with(pod: Pod, text: str, timeout: float = 90) -> None:
    """Wait until the last snapshot in the bundle holds the text in README.md."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if pod.files.bundle.exists():
            keeper_git = Path(pod.env["AUTOPACK_KEEPER_DIR"])
            heads = git("bundle", "list-heads", str(pod.files.bundle))
            shas = [line.split()[0] for line in heads.splitlines() if "refs/autopack/" in line]
            if shas and text in git(f"--git-dir={keeper_git}", "show", f"{shas[0]}:README.md"):
                return
        time.sleep(0.05)
    pytest.fail("the snapshot never came")


async def test_a_killed_keeper_leaves_its_last_snapshot(api: Api, ready: Pod, results: Path) -> None:
    start(ready)
    (ready.workspace / "README.md").write_text("half done\n")
    wait_for_bundle_with(ready, "half done")
    ready.stop_keeper(signal.SIGKILL)
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["complete"], answer["exitCode"]) == (200, False, None)
    assert git("show", f"refs/runs/{UID}/a1/snapshot:README.md", cwd=results) == "half done"
    assert ready.workspace.exists(), "a workspace that nobody saved to the end must stay"


async def test_a_commit_is_saved_at_once_and_outlives_a_pod_that_is_killed(api: Api, ready: Pod, results: Path) -> None:
    pod = ready.with_env(AUTOPACK_SNAPSHOT_SECONDS="3600")
    start(pod)
    git("commit", "--quiet", "--allow-empty", "-m", "just now", cwd=pod.workspace)
    pod.wait_for("results.bundle")
    pod.stop_keeper(signal.SIGKILL)
    _, answer = await api.commit()
    assert git("log", "-1", "--format=%s", answer["head"], cwd=results) == "just now"


async def test_a_keeper_that_was_killed_goes_on_where_it_was(api: Api, ready: Pod, results: Path) -> None:
    start(ready)
    (ready.workspace / "README.md").write_text("half done\n")
    wait_for_bundle_with(ready, "half done")
    ready.stop_keeper(signal.SIGKILL)
    ready.start_keeper()
    assert ready.run("echo done > README.md") == 0
    ready.wait_for("result.json")
    _, answer = await api.commit()
    assert answer["complete"] is True
    assert git("show", f"{answer['snapshot']}:README.md", cwd=results) == "done"


async def test_told_to_stop_it_saves_all_and_leaves_at_once(api: Api, ready: Pod) -> None:
    start(ready)
    (ready.workspace / "README.md").write_text("interrupted\n")
    assert ready.stop_keeper() == 0
    _, answer = await api.commit()
    assert (answer["complete"], answer["exitCode"]) == (True, None)
    assert answer["snapshot"] is not None


def test_it_finishes_soon_after_the_command(ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_SNAPSHOT_SECONDS="3600")
    start(pod)
    pod.run("echo x > README.md")
    pod.wait_for("result.json")
    assert pod.stop_keeper() == 0


def test_it_ends_by_itself_when_nobody_tells_it_to(ready: Pod) -> None:
    start(ready)
    ready.run("true")
    assert ready.keeper is not None
    ready.keeper.communicate(timeout=200)
    assert ready.keeper.returncode == 0
    assert ready.files.result.exists()


def test_a_finished_keeper_started_again_changes_nothing(ready: Pod) -> None:
    ready.live("echo x > README.md")
    before = ready.files.result.stat().st_mtime_ns
    ready.start_keeper()
    time.sleep(0.5)
    assert ready.stop_keeper() == 0
    assert ready.files.result.stat().st_mtime_ns == before


def test_a_run_that_changes_nothing_has_no_bundle(ready: Pod) -> None:
    ready.live("true")
    manifest = json.loads(ready.files.manifest.read_bytes())
    assert not ready.files.bundle.exists()
    assert (manifest["bundle"], manifest["snapshot"]) == (None, None)
    assert manifest["branches"] == {"autopack/fix-it": ready.env["AUTOPACK_SHA"]}


def test_a_run_that_changes_nothing_takes_eight_git_processes(ready: Pod, tmp_path: Path) -> None:
    log = trace_git(tmp_path / "home")
    pod = ready.with_env(HOME=str(tmp_path / "home"), AUTOPACK_SNAPSHOT_SECONDS="3600")
    assert pod.init() == 0
    started(log)
    pod.start_keeper()
    pod.run("true")
    pod.wait_for("result.json")
    pod.stop_keeper()
    saving = ["for-each-ref", "cat-file", "ls-files", "update-ref", "ls-files", "add", "ls-files", "diff-index"]
    assert started(log) == saving


async def test_a_detached_head_is_not_taken_for_a_branch_by_chance(api: Api, ready: Pod) -> None:
    ready.live("git branch None; git checkout -q --detach; echo x > README.md; git commit -qam apart")
    _, answer = await api.commit()
    assert answer["branches"]["None"] == ready.env["AUTOPACK_SHA"]
    assert answer["head"] not in answer["branches"].values()


async def test_a_head_whose_branch_leads_to_no_commit_is_the_base(api: Api, ready: Pod) -> None:
    ready.live('git rev-parse HEAD^{tree} > "$(git rev-parse --git-path refs/heads/autopack/fix-it)"')
    _, answer = await api.commit()
    assert answer["head"] == ready.env["AUTOPACK_SHA"]


async def test_a_branch_that_went_while_no_keeper_was_there_is_not_in_the_results(api: Api, ready: Pod) -> None:
    start(ready)
    ready.run("echo x > README.md; git commit -qam x; git branch gone; sleep 1")
    ready.wait_for("result.json")
    ready.stop_keeper(signal.SIGKILL)
    git("branch", "-D", "gone", cwd=ready.workspace)
    ready.files.result.unlink()
    ready.start_keeper()
    ready.wait_for("result.json")
    ready.stop_keeper()
    _, answer = await api.commit()
    assert set(answer["branches"]) == {"autopack/fix-it"}


async def test_commits_that_only_head_leads_to_are_kept(api: Api, ready: Pod, results: Path) -> None:
    ready.live("git checkout -q --detach; echo x > README.md; git commit -qam 'on no branch'")
    _, answer = await api.commit()
    assert git("log", "-1", "--format=%s", f"refs/runs/{UID}/a1/head", cwd=results) == "on no branch"
    assert answer["ref"].endswith("/heads/autopack/fix-it")


async def test_a_renamed_branch_is_found_by_head(api: Api, ready: Pod, results: Path) -> None:
    ready.live("git branch -qm other; echo x > README.md; git commit -qam 'renamed'")
    _, answer = await api.commit()
    assert answer["ref"] == f"refs/runs/{UID}/a1/head"
    assert git("log", "-1", "--format=%s", answer["ref"], cwd=results) == "renamed"


async def test_stash_and_tags_are_kept(api: Api, ready: Pod, results: Path) -> None:
    script = "echo one > README.md; git stash -q; echo two > README.md; git stash -q; git tag -am t v1"
    ready.live(script)
    await api.commit()
    prefix = f"refs/runs/{UID}/a1/extra"
    assert git("show", f"{prefix}/stash/0:README.md", cwd=results) == "two"
    assert git("show", f"{prefix}/stash/1:README.md", cwd=results) == "one"
    assert git("cat-file", "-t", f"{prefix}/tags/v1", cwd=results) == "tag"


async def test_a_branch_replaced_by_one_below_its_name_is_followed(api: Api, ready: Pod) -> None:
    start(ready)
    ready.run("echo x > README.md; git commit -qam x; git branch a; sleep 1; git branch -D a; git branch a/b")
    ready.wait_for("result.json")
    ready.stop_keeper()
    _, answer = await api.commit()
    assert "a/b" in answer["branches"]
    assert "a" not in answer["branches"]
    assert "starts over" not in ready.keeper_said


async def test_a_file_forced_past_gitignore_is_saved(api: Api, ready: Pod, results: Path) -> None:
    ready.live("mkdir ignored; echo kept > ignored/a; echo lost > ignored/b; git add -f ignored/a")
    _, answer = await api.commit()
    listed = git("ls-tree", "-r", "--name-only", answer["snapshot"], cwd=results).splitlines()
    assert "ignored/a" in listed
    assert "ignored/b" not in listed


async def test_a_filter_that_only_the_runs_image_has_does_not_hinder(api: Api, ready: Pod, results: Path) -> None:
    script = """
    git config filter.big.clean no-such-program; git config filter.big.required true
    echo '*.bin filter=big' > .gitattributes; echo content > a.bin
    """
    ready.live(script)
    _, answer = await api.commit()
    assert answer["complete"] is True
    assert git("show", f"{answer['snapshot']}:a.bin", cwd=results) == "content"


async def test_a_run_that_destroys_its_repository_keeps_what_was_saved(api: Api, ready: Pod, results: Path) -> None:
    start(ready)
    (ready.workspace / "README.md").write_text("saved in time\n")
    wait_for_bundle_with(ready, "saved in time")
    shutil.rmtree(ready.files.repo)
    ready.run("true")
    ready.wait_for("result.json")
    _, answer = await api.commit(removeWorkspace=True)
    assert (answer["complete"], answer["exitCode"]) == (False, 0)
    assert git("show", f"{answer['snapshot']}:README.md", cwd=results) == "saved in time"
    assert ready.workspace.exists()


async def test_the_runs_own_index_is_not_touched(ready: Pod) -> None:
    ready.live("echo staged > a; git add a; echo more >> README.md")
    status = git("status", "--porcelain", cwd=ready.workspace)
    assert status.splitlines() == [" M README.md", "A  a"]
