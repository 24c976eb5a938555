"""The keeper has its command stopped, and a pod that outlives its attempt changes nothing: real processes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import UID, Api, Pod, git

FILL = 'echo kept > kept.txt; while :; do head -c 1000000 /dev/urandom >> "{where}"; sleep 0.05; done'
NEVER = "echo begun > begun.txt; while :; do sleep 0.05; done"


def until(happened: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("where", ["fill", "$AUTOPACK_ARTIFACTS/ci/fill"])
async def test_a_run_that_fills_the_disk_is_stopped_at_its_quota_and_its_work_is_saved(
    api: Api, ready: Pod, volume: Path, where: str
) -> None:
    pod = ready.with_env(AUTOPACK_DISK_QUOTA_BYTES="3000000", AUTOPACK_SNAPSHOT_SECONDS="3600")
    assert pod.init() == 0
    pod.start_keeper()
    pod.wait_for_keeper()
    assert pod.run(FILL.format(where=where)) == 143
    pod.wait_for("result.json")
    pod.stop_keeper()
    _, answer = await api.commit()
    assert (answer["complete"], answer["stopReason"]) == (True, "DiskQuotaExceeded")
    results = volume / ".repos/n-demo/results.git"
    assert git("show", f"refs/runs/{UID}/a1/snapshot:kept.txt", cwd=results) == "kept"


async def run_idly(api: Api, pod: Pod, script: str, seconds: int) -> tuple[int, dict[str, Any]]:
    """Run a script that must not be idle for so long; return its exit code and what was committed."""
    assert pod.init() == 0
    pod.start_keeper()
    pod.wait_for_keeper()
    changes = str(Path(pod.env["AUTOPACK_STOP_FILE"]).with_name("changed"))
    code = await asyncio.to_thread(pod.run, script, "--idle-after", f"{seconds}s", "--changes-file", changes)
    pod.wait_for("result.json")
    pod.stop_keeper()
    return code, (await api.commit())[1]


async def test_an_idle_run_is_stopped_and_its_work_is_saved(api: Api, ready: Pod) -> None:
    code, answer = await run_idly(api, ready, "echo x > x; git add x; git commit -qm x; echo y > y; sleep 60", 2)
    assert (code, answer["stopReason"], answer["complete"]) == (143, "Idle", True)
    assert answer["head"] != ready.env["AUTOPACK_SHA"]
    assert answer["snapshot"] is not None


async def test_a_run_whose_files_change_is_not_idle(api: Api, ready: Pod) -> None:
    code, answer = await run_idly(api, ready, "for i in $(seq 16); do echo $i > x; sleep 1; done", 12)
    assert (code, answer["stopReason"]) == (0, None)


async def test_a_pod_that_outlives_its_attempt_is_stopped_and_its_late_writes_do_not_count(
    api: Api, ready: Pod, volume: Path
) -> None:
    assert ready.init() == 0
    ready.start_keeper()
    ready.wait_for_keeper()
    running = asyncio.get_running_loop().run_in_executor(None, ready.run, NEVER)
    ready.wait_for("results.bundle")
    committed = await api.commit()
    results = volume / ".repos/n-demo/results.git"
    refs = git("for-each-ref", cwd=results)
    (ready.workspace / "late.txt").write_text("late\n")
    assert await running == 143, "the keeper has the command stopped"
    ready.stop_keeper()
    assert '"reason": "Fenced"' in ready.keeper_said
    assert not ready.files.result.exists()
    assert await api.commit() == committed
    assert git("for-each-ref", cwd=results) == refs
    assert git("ls-tree", "--name-only", f"refs/runs/{UID}/a1/snapshot", cwd=results).split() == [
        ".gitignore",
        "README.md",
        "begun.txt",
    ]


async def test_what_a_dead_attempt_forges_after_its_commit_changes_nothing(api: Api, ready: Pod, volume: Path) -> None:
    ready.live("echo x > x; git add x; git commit -qm x")
    committed = await api.commit()
    files = ready.files
    for path in (files.result, files.manifest, files.exit_file, files.bundle):
        path.chmod(0o600)
        path.write_text(json.dumps({"exitCode": 0, "complete": True}))
    assert await api.commit() == committed
    assert git("show", f"{committed[1]['ref']}:x", cwd=volume / ".repos/n-demo/results.git") == "x"
