"""The supervisor's decisions: verdicts, limits, file systems, commands, numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack.phases import Phase
from autopack.supervisor.command import RunPlace, command_of, environment_of, parse_command
from autopack.supervisor.filesystems import filesystem_type, refuse_network
from autopack.supervisor.limits import GIB, Demand, Machine, describe_limits
from autopack.supervisor.outcome import is_retryable, judge
from autopack.supervisor.process import Ended
from autopack.supervisor.quotas import Cores, Quota
from autopack.tally import Tally

PLACE = RunPlace("run-1", 2, Path("/runs/workspaces/run-1"), Path("/runs/run-1"), Path("/runs"))


@pytest.mark.parametrize(
    ("ended", "state", "reason"),
    [
        (Ended(0), Phase.SUCCEEDED, None),
        (Ended(1), Phase.FAILED, "CommandFailed"),
        (Ended(143, timed_out=True), Phase.FAILED, "Timeout"),
        (Ended(0, timed_out=True), Phase.FAILED, "Timeout"),
        (Ended(143, stopped=True), Phase.CANCELED, "Canceled"),
        (Ended(0, stopped=True), Phase.CANCELED, "Canceled"),
    ],
)
def test_the_verdict_on_a_command(ended: Ended, state: Phase, reason: str | None) -> None:
    verdict = judge(ended, 60)
    assert (verdict.state, verdict.reason) == (state, reason)


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("CommandFailed", True),
        ("Timeout", True),
        ("WorktreeAddFailed", True),
        ("Canceled", False),
        ("LeaseHeld", False),
        (None, False),
    ],
)
def test_only_what_may_go_better_is_tried_again(reason: str | None, again: bool) -> None:
    assert is_retryable(reason) == again


@pytest.mark.parametrize(
    ("machine", "demand", "warning"),
    [
        (Machine(2, 8 * GIB, GIB), Demand(3, 9, 0, per_run_sqlite=False), "more workers than cores"),
        (Machine(64, GIB, GIB), Demand(4, 9, 0, per_run_sqlite=False), "there may not be enough memory;"),
        (Machine(64, 64 * GIB, GIB), Demand(2, 9, GIB, per_run_sqlite=False), "there may not be enough disk space"),
        (Machine(64, 64 * GIB, GIB), Demand(5, 9, 0, per_run_sqlite=True), "2-4 workers at most"),
    ],
)
def test_what_may_go_wrong_is_warned_of(machine: Machine, demand: Demand, warning: str) -> None:
    warnings = [line for line in describe_limits(machine, demand) if line.startswith("warning:")]
    assert len(warnings) == 1
    assert warning in warnings[0]


def test_nothing_is_warned_of_without_need_or_knowledge() -> None:
    lines = describe_limits(Machine(4, None, None), Demand(4, 2, 100 * 1024**2, per_run_sqlite=True))
    assert [line for line in lines if line.startswith("warning:")] == []
    assert "100 MiB a worktree, 200 MiB at once" in lines[2]


def test_a_size_that_is_unknown_is_said_to_be() -> None:
    lines = describe_limits(Machine(4, None, GIB), Demand(4, 2, None, per_run_sqlite=True))
    assert lines[2] == "disk: the size of a worktree is unknown, one object database; 1.0 GiB free"
    assert [line for line in lines if line.startswith("warning:")] == []


MOUNTS = r"""
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 0:5 / /mnt/nfs rw shared:1 - nfs4 server:/x rw
22 20 0:6 / /mnt/nfs/local rw - xfs /dev/sdb rw
23 20 0:7 / /mnt/with\040space rw - cifs //server/x rw
24 20 0:8 / /mnt/over rw - nfs server:/y rw
25 20 0:9 / /mnt/over rw - tmpfs tmpfs rw
26 20 0:9 / /mnt/ssh rw - fuse.sshfs host: rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", "ext4"),
        ("/mnt/nfs/x", "nfs4"),
        ("/mnt/nfsx", "ext4"),
        ("/mnt/nfs/local/x", "xfs"),
        ("/mnt/with space/x", "cifs"),
        ("/mnt/over/x", "tmpfs"),
    ],
)
def test_the_deepest_and_last_mount_counts(path: str, kind: str) -> None:
    assert filesystem_type(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("path", ["/mnt/nfs/x", "/mnt/ssh/x"])
def test_sqlite_on_a_network_file_system_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match=r"network file system .* Use Postgres"):
        refuse_network(Path(path), MOUNTS)


def test_sqlite_on_a_local_disk_is_fine() -> None:
    refuse_network(Path("/mnt/nfs/local/x"), MOUNTS)


def test_only_our_own_names_in_braces_are_filled_in() -> None:
    words = ["awk", "{print $1}", "--id={run_id}", "{workspace}/x", "{artifacts}", "{}", "{other}"]
    filled = ["awk", "{print $1}", "--id=run-1", "/runs/workspaces/run-1/x", "/runs/run-1", "{}", "{other}"]
    assert command_of(words, ["{run_id}"], PLACE) == [*filled, "{run_id}"]


@pytest.mark.parametrize("text", ["", "  ", "'unclosed", "a\0b"])
def test_commands_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="command: "):
        parse_command(text, Path("/repo"))


def test_a_runs_environment_is_ours_without_gits_and_with_what_it_must_know() -> None:
    env = environment_of({"PATH": "/bin", "GIT_DIR": "/x", "DATABASE_URL": "old"}, PLACE, "sqlite:////new")
    assert env["PATH"] == "/bin"
    assert "GIT_DIR" not in env
    assert (env["DATABASE_URL"], env["AUTOPACK_RUN_ID"], env["AUTOPACK_ATTEMPT"]) == ("sqlite:////new", "run-1", "2")


def test_the_time_left_is_unknown_until_a_run_has_ended() -> None:
    assert Tally(total=10, workers=2, running={"a": (1, 0.0)}).eta(5.0) is None


def test_the_time_left_counts_waiting_and_begun_runs_over_all_workers() -> None:
    tally = Tally(total=10, workers=2, succeeded=1, failed=1, seconds=20, running={"a": (1, 4.0), "b": (1, 0.0)})
    # Six wait at 10 s each; a has 4 s left, b has none: 64 s of work for two.
    assert tally.eta(10.0) == 32.0


def test_runs_done_before_do_not_count_for_the_mean() -> None:
    assert Tally(total=3, skipped=2).eta(0.0) is None


def test_cores_are_spread_over_the_runs() -> None:
    cores = Cores([0, 1, 2])
    with cores.borrow(2) as first, cores.borrow(2) as second:
        assert len(first) == len(second) == 2
        assert first | second == {0, 1, 2}
    with cores.borrow(1) as again, cores.borrow(None) as unbounded:
        assert (again, unbounded) == (frozenset({0}), frozenset())


@pytest.mark.parametrize(
    ("memory", "cpus", "field"), [(1, None, "worker_memory"), (None, 0, "worker_cpus"), (None, 10**6, "worker_cpus")]
)
def test_bounds_that_make_no_sense_are_refused(memory: int | None, cpus: int | None, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Quota(memory, cpus)
    assert caught.value.field == field
