"""Starting and stopping processes that outlive this command, told apart from strangers by pid *and* start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from devcluster.commands import POLL_SECONDS

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """One process forever: pids are recycled, but not within one boot with the same start time."""

    pid: int
    started: int
    """Clock ticks between boot and the start of the process (field 22 of /proc/<pid>/stat)."""
    boot: str


@dataclass(frozen=True)
class Record:
    """What a pid file holds."""

    identity: Identity
    fingerprint: str
    """Hash over the command and its configuration: says whether the running process is the one wanted."""


def boot_id() -> str:
    """Return the identity of this boot of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def start_time(stat: str) -> int | None:
    """Return the start time in a line of /proc/<pid>/stat; None for a process that has ended but was not collected."""
    # The command's name, in parentheses, may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def identity_of(pid: int) -> Identity | None:
    """Return the identity of a running process; None when there is none with this pid."""
    try:
        started = start_time((PROC / str(pid) / "stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if started is None else Identity(pid, started, boot_id())


def is_alive(identity: Identity) -> bool:
    """Whether exactly this process still runs."""
    return identity_of(identity.pid) == identity


def encode(record: Record) -> str:
    """Return the text of a pid file."""
    return json.dumps(asdict(record))


def decode(text: str) -> Record | None:
    """Return what a pid file says; None when it was cut short or is not one."""
    try:
        fields = json.loads(text)
        return Record(Identity(**fields["identity"]), str(fields["fingerprint"]))
    except (ValueError, KeyError, TypeError):
        return None


def running(pid_file: Path) -> Record | None:
    """Return the record of the process a pid file names, if that process still runs."""
    try:
        record = decode(pid_file.read_text())
    except FileNotFoundError:
        return None
    return record if record is not None and is_alive(record.identity) else None


def start(argv: Sequence[str], *, pid_file: Path, fingerprint: str, log: Path, env: Mapping[str, str]) -> None:
    """Start a process in a session of its own; its output is appended to `log`."""
    boot = boot_id()

    def leave_pid_file() -> None:
        # In the child, before it becomes the program: a crash of this command at any point leaves no process unnamed.
        started = start_time((PROC / "self/stat").read_text())
        assert started is not None  # noqa: S101 - a process that runs this line has not ended
        text = encode(Record(Identity(os.getpid(), started, boot), fingerprint))
        unfinished = pid_file.with_suffix(".tmp")
        unfinished.write_text(text)
        unfinished.replace(pid_file)

    pid_file.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=env,
            cwd="/",
            start_new_session=True,
            preexec_fn=leave_pid_file,  # noqa: PLW1509 - this program has one thread
        )
    process.returncode = 0  # it outlives this command, which is not to warn that it did not wait for it


def stop(graces: Mapping[Identity, float], *, waiting: Callable[[], None] = lambda: None) -> None:
    """End processes (process -> seconds until it is killed when asking does not help). Returns when all are gone."""
    began = time.monotonic()
    left = {one: grace for one, grace in graces.items() if _signal(one, signal.SIGTERM)}
    while left:
        left = {one: grace for one, grace in left.items() if is_alive(one)}
        for one, grace in left.items():
            if time.monotonic() - began >= grace:
                _signal(one, signal.SIGKILL)
        waiting()
        time.sleep(POLL_SECONDS / 2 if left else 0)


def send(pid: int, number: int, *, only_if: Callable[[], bool]) -> bool:
    """Send a signal to a process if it is the one meant; False when it is not, or has ended."""
    try:
        # The descriptor pins the process: what `only_if` finds after it is open cannot pass to another process.
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not only_if():
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def _signal(identity: Identity, number: int) -> bool:
    return send(identity.pid, number, only_if=lambda: is_alive(identity))
