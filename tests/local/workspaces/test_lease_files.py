"""Leases in files: the contract, and what only files can do wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.contract.lease_contract import KEY, LeaseContract

from autopack.errors import AutopackError, InvalidInput
from autopack.executor_lock import ExecutorLockManager
from autopack.leases.file_backend import FileLeaseBackend
from autopack.leases.port import Holder, LeaseAlive
from autopack.leases.process import this_process
from autopack.workspace_lease import WorkspaceLease

HOLD = """
import sys, time
from pathlib import Path
from autopack.workspace_lease import WorkspaceLease
lease = WorkspaceLease(Path(sys.argv[1]), Path(sys.argv[2]))
assert lease.acquire()
print("held", flush=True)
time.sleep(60)
"""


def pid_of_the_dead() -> int:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


class TestFileLeases(LeaseContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "leases"
        self.backends: dict[str, FileLeaseBackend] = {}
        self.here = this_process()

    def backend(self) -> FileLeaseBackend:
        return self.backends.setdefault("one", FileLeaseBackend(self.folder, patience=0.5))

    def claimant(self, name: str) -> Holder:
        return Holder(name, self.here.facts)

    async def leave(self, key: str, *, provable: bool) -> None:
        facts = {**self.here.facts, "pid": str(pid_of_the_dead()), "started": "1"}
        if not provable:
            facts |= {"boot": "another", "host": "elsewhere"}
        self.folder.mkdir(exist_ok=True)
        record = json.dumps({"identity": "dead", **facts})
        (self.folder / f"{key}.lock").write_text(record, "utf-8")


class TestFileLeasesOfSeparateBackends(TestFileLeases):
    """As between processes: every claimant has a backend of its own, and only the files are shared."""

    async def acquire(self, name: str, key: str = KEY) -> bool:
        backend = self.backends.setdefault(name, FileLeaseBackend(self.folder, patience=0.5))
        return backend.try_acquire(key, self.claimant(name))

    async def release(self, name: str, key: str = KEY) -> None:
        backend = self.backends.setdefault(name, FileLeaseBackend(self.folder, patience=0.5))
        backend.release(key, self.claimant(name))


def hold_elsewhere(workspace: Path, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_lease_of_another_process_is_refused_naming_it(tmp_path: Path) -> None:
    process = hold_elsewhere(tmp_path / "w", tmp_path / "l")
    try:
        lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
        assert lease.is_locked()
        with pytest.raises(RuntimeError, match=rf"^Workspace lease already held for {tmp_path}/w .*pid {process.pid}"):
            lease.__enter__()
    finally:
        end(process)


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    process = hold_elsewhere(tmp_path / "w", tmp_path / "l")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
    assert not lease.is_locked()
    assert lease.acquire()


def test_a_refused_claim_does_not_change_the_record(tmp_path: Path) -> None:
    with WorkspaceLease(tmp_path / "w", tmp_path / "l") as lease:
        before = lease.lock_file_path.read_bytes()
        assert not WorkspaceLease(tmp_path / "w", tmp_path / "l").acquire()
        assert lease.lock_file_path.read_bytes() == before


def test_release_leaves_the_file_and_empties_it(tmp_path: Path) -> None:
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
    lease.acquire()
    inode = lease.lock_file_path.stat().st_ino
    lease.release()
    assert lease.lock_file_path.stat().st_ino == inode
    assert lease.lock_file_path.read_bytes() == b""


def test_a_live_holder_cannot_be_unlocked(tmp_path: Path) -> None:
    with WorkspaceLease(tmp_path / "w", tmp_path / "l") as lease:
        with pytest.raises(LeaseAlive, match=str(os.getpid())):
            WorkspaceLease(tmp_path / "w", tmp_path / "l").force_unlock()
        assert lease.is_locked()


def test_a_symlink_to_a_workspace_is_the_same_workspace(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "w")
    with WorkspaceLease(tmp_path / "w", tmp_path / "l"):
        assert not WorkspaceLease(tmp_path / "link", tmp_path / "l").acquire()


def test_a_lock_file_that_is_a_symlink_is_refused(tmp_path: Path) -> None:
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
    (tmp_path / "l").mkdir()
    (tmp_path / "victim").write_text("mine", "utf-8")
    lease.lock_file_path.symlink_to(tmp_path / "victim")
    with pytest.raises(AutopackError, match="symlink"):
        lease.acquire()
    assert (tmp_path / "victim").read_text("utf-8") == "mine"


@pytest.mark.parametrize("record", [b"not json", b"[]", b"{}", b'{"identity"'])
def test_a_half_written_record_of_a_crash_is_no_holder(tmp_path: Path, record: bytes) -> None:
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
    (tmp_path / "l").mkdir()
    lease.lock_file_path.write_bytes(record)
    assert not lease.is_locked()
    assert lease.acquire()


def test_a_forked_child_does_not_release_its_parents_lease(tmp_path: Path) -> None:
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
    lease.acquire()
    child = os.fork()
    if child == 0:
        lease.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert not WorkspaceLease(tmp_path / "w", tmp_path / "l").acquire()


def test_a_child_that_inherits_the_lease_keeps_it_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = HOLD.replace(
        'print("held"',
        'import subprocess; subprocess.Popen(["sleep", "60"], pass_fds=[lease.fileno()], stdout=2); print("held"',
    )
    command = [sys.executable, "-c", program, str(tmp_path / "w"), str(tmp_path / "l")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    end(process)
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l", timeout=0.2)
    assert not lease.acquire()
    os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not lease.acquire():
        assert time.monotonic() < deadline


def test_a_holder_on_this_machine_before_its_restart_is_gone(tmp_path: Path) -> None:
    here = this_process()
    if not here.facts["machine"]:
        pytest.skip("this machine has no id")
    before = dataclasses.replace(here, facts={**here.facts, "boot": "before"})
    lease = WorkspaceLease(tmp_path / "w", tmp_path / "l")
    (tmp_path / "l").mkdir()
    lease.lock_file_path.write_text(json.dumps({"identity": "x", **before.facts}), "utf-8")
    assert lease.acquire()


def test_a_handle_that_lost_the_race_leaks_no_descriptor(tmp_path: Path) -> None:
    with WorkspaceLease(tmp_path / "w", tmp_path / "l"):
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            assert not WorkspaceLease(tmp_path / "w", tmp_path / "l").acquire()
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_executor_lock_says_whose_run_it_is(tmp_path: Path) -> None:
    with ExecutorLockManager("my-run", tmp_path):
        with pytest.raises(
            RuntimeError, match=r"^Executor lock already held for run_id=my-run.*autopack unlock my-run$"
        ):
            ExecutorLockManager("my-run", tmp_path).__enter__()
        assert ExecutorLockManager("other", tmp_path).acquire()


def test_the_executor_lock_lies_in_the_folder_of_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(tmp_path))
    assert ExecutorLockManager("my-run").lock_file_path == tmp_path / ".locks/my-run.lock"


def test_a_slash_and_a_dash_have_locks_of_their_own(tmp_path: Path) -> None:
    with ExecutorLockManager("a/b", tmp_path):
        assert ExecutorLockManager("a-b", tmp_path).acquire()


@pytest.mark.parametrize("run_id", ["../x", "/etc/x", "a\0b"])
def test_a_bad_run_id_locks_nothing(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(InvalidInput):
        ExecutorLockManager(run_id, tmp_path)


@pytest.mark.parametrize("key", ["", "../x", "a/b", ".hidden", "x" * 251])
def test_a_key_that_is_no_file_name_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidInput):
        FileLeaseBackend(tmp_path).try_acquire(key, this_process())
