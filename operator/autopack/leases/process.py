"""This process as a holder of leases."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path

from .port import Holder


def this_process() -> Holder:
    """Return a new holder: this process, with an identity that no other call returns."""
    pid = os.getpid()
    facts = {
        "pid": str(pid),
        "started": started_at(pid) or "",
        "host": socket.gethostname(),
        "machine": _read("/etc/machine-id"),
        "boot": _read("/proc/sys/kernel/random/boot_id"),
        "pids": _pid_namespace(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Holder(f"{facts['host']}:{pid}:{secrets.token_hex(8)}", facts)


def started_at(pid: int) -> str | None:
    """Return when a process began, in clock ticks since the boot; None if there is none. A pid alone may be reused."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses and may contain anything; the 22nd is the start time.
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError:
        return ""
